/** Who a bearer token belongs to. For now there is one: the service token of the operator. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ANONYMOUS, type Principal, SERVICE } from "../domain/principal.js";

/** Answers whose token it is; "invalid" when it is nobody's. No token at all is anonymous. */
export type Authenticate = (token: string | undefined) => Principal | "invalid";

/** @param serviceToken the configured token; undefined turns service access off */
export function createAuthenticate(serviceToken: string | undefined): Authenticate {
  const expected = serviceToken === undefined ? null : digest(serviceToken);
  return (token) => {
    if (token === undefined) return ANONYMOUS;
    // Digests have one length, so the comparison takes the same time whatever was sent.
    return expected !== null && timingSafeEqual(digest(token), expected) ? SERVICE : "invalid";
  };
}

const digest = (token: string): Buffer => createHash("sha256").update(token).digest();
