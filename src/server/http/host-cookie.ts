/**
 * Cookies of session and guest. Over https their names begin with
 * `__Host-`: browsers accept them from this host alone, encrypted
 * and for every path. So no neighbour can plant one. Plain http
 * is for loopback.
 */
import type { SerializeOptions } from "cookie";
import { DAY, SECOND } from "../../domain/time/time.js";

export interface HostCookie {
  readonly name: string;
  readonly options: SerializeOptions;
}

/** Guests may return after months; browsers keep 400 days at most. */
const GUEST_MS = 365 * DAY;

/**
 * @param secure whether clients use https; @param capMs longest
 * session
 */
export const sessionCookie = (secure: boolean, capMs: number): HostCookie =>
  hostCookie("souk_session", secure, capMs);

/** @param secure whether clients use https */
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
