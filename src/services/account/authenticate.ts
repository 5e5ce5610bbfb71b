/**
 * Who a token belongs to: the operator, by the service token, or somebody who is signed in, by the
 * token of a session.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { ANONYMOUS, type Principal, SERVICE, UNKNOWN } from "../../domain/account/principal.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import type { Sessions } from "./sessions.js";

/**
 * Answers whose token it is; "invalid" when it is nobody's. No token at all is anonymous; one that
 * cannot be looked up is unknown.
 */
export type Authenticate = (token: string | undefined) => Promise<Principal | "invalid">;

/**
 * Tells the operator's token, without asking anybody. @param serviceToken the configured token;
 * undefined turns service access off
 */
export function createServiceCheck(serviceToken: string | undefined): (token: string) => boolean {
  const expected = serviceToken === undefined ? null : digest(serviceToken);
  // Digests have one length, so the comparison takes the same time whatever was sent.
  return (token) => expected !== null && timingSafeEqual(digest(token), expected);
}

/** @param serviceToken the configured token; undefined turns service access off */
export function createAuthenticate(
  serviceToken: string | undefined,
  sessions: Pick<Sessions, "authenticate">,
): Authenticate {
  const isService = createServiceCheck(serviceToken);
  return async (token) => {
    if (token === undefined) return ANONYMOUS;
    if (isService(token)) return SERVICE;
    try {
      return (await sessions.authenticate(token)) ?? "invalid";
    } catch (error) {
      if (error instanceof ServiceUnavailable) return UNKNOWN;
      throw error;
    }
  };
}

const digest = (token: string): Buffer => createHash("sha256").update(token).digest();
