/** Authentication: the principal of a credential. */
import { ANONYMOUS, type Principal, SERVICE, UNKNOWN } from "../../domain/account/principal.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import type { Credential } from "./credential.js";
import type { Sessions } from "./sessions.js";

/** No token is anonymous; a failed look-up is unknown. */
export type Authenticate = (credential: Credential) => Promise<Principal | "invalid">;

export function createAuthenticate(sessions: Pick<Sessions, "authenticate">): Authenticate {
  return async (credential) => {
    if (credential.kind === "none") return ANONYMOUS;
    if (credential.kind === "service") return SERVICE;
    try {
      return (await sessions.authenticate(credential)) ?? "invalid";
    } catch (error) {
      if (error instanceof ServiceUnavailable) return UNKNOWN;
      throw error;
    }
  };
}
