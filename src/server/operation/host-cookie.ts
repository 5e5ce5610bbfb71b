/**
 * The cookies that say who a browser is: its session, and the guest it was before. Over https their
 * names begin with `__Host-`: the browser then takes them from this host alone, encrypted, for
 * every path, so that no neighbour can plant one. Plain http is for a machine's own loopback.
 */
import type { CookieSerializeOptions } from "@fastify/cookie";
import { DAY, SECOND } from "../../domain/time/time.js";

/** A cookie of a server. */
export interface HostCookie {
  readonly name: string;
  readonly options: CookieSerializeOptions;
}

/** A guest may come back after months and is still known; browsers keep nothing beyond 400 days. */
const GUEST_MS = 365 * DAY;

/** @param secure whether clients come by https; @param capMs how long a session lives at most */
export const sessionCookie = (secure: boolean, capMs: number): HostCookie =>
  hostCookie("souk_session", secure, capMs);

/** @param secure whether clients come by https */
export const guestCookie = (secure: boolean): HostCookie =>
  hostCookie("souk_guest", secure, GUEST_MS);

function hostCookie(name: string, secure: boolean, livesMs: number): HostCookie {
  return {
    name: secure ? `__Host-${name}` : name,
    options: {
      path: "/",
      sameSite: "lax",
      httpOnly: true,
      secure,
      maxAge: Math.floor(livesMs / SECOND),
    },
  };
}
