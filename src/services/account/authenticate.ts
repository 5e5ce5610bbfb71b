/** Whose token it is: the service token, or a session's. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ANONYMOUS, type Principal, SERVICE, UNKNOWN } from "../../domain/account/principal.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import type { Sessions } from "./sessions.js";

/**
 * The principal of a token. "invalid" for an unknown token.
 * No token is anonymous; one that cannot be looked up is
 * unknown.
 */
export type Authenticate = (token: string | undefined) => Promise<Principal | "invalid">;

/**
 * Recognises the service token, without a look-up.
 * @param serviceToken the configured token; undefined turns
 * service access off
 */
export function createServiceCheck(serviceToken: string | undefined): (token: string) => boolean {
  const expected = serviceToken === undefined ? null : digest(serviceToken);
  // Digests have one length, so the comparison takes the same
  // time for any input.
  return (token) => expected !== null && timingSafeEqual(digest(token), expected);
}

/**
 * @param serviceToken the configured token; undefined turns
 * service access off
 */
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
