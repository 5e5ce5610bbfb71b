/**
 * The cookie that holds a browser's session. Over https its name begins with `__Host-`: the browser then takes it from this host alone,
 * encrypted, for every path, so that no neighbour can plant one. Plain http is for a machine's own loopback.
 */
import type { CookieSerializeOptions } from "@fastify/cookie";
import { SECOND } from "../domain/time.js";

/** The cookie of a server. */
export interface SessionCookie {
  readonly name: string;
  readonly options: CookieSerializeOptions;
}

/** @param secure whether clients come by https; @param capMs how long a session lives at most */
export function sessionCookie(secure: boolean, capMs: number): SessionCookie {
  return {
    name: secure ? "__Host-souk_session" : "souk_session",
    options: { path: "/", sameSite: "lax", httpOnly: true, secure, maxAge: Math.floor(capMs / SECOND) },
  };
}
