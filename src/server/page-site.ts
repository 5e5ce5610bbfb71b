/**
 * The site of the page that asks, compared with ours as browsers
 * do for `SameSite`. They neither keep nor send our cookies for
 * pages of another site.
 *
 * `Sec-Fetch-Site` says it exactly. Browsers send it to https and
 * loopback. Without it names are compared, without a list of public
 * suffixes: a doubtful page counts as one of our site.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { isLoopbackName } from "../domain/address.js";

/** Whether a page of another site asks. Without a page, false. */
export function isCrossSite(headers: IncomingHttpHeaders): boolean {
  const { origin, host, "sec-fetch-site": relation } = headers;
  if (relation === "cross-site") return true;
  if (!origin || !host || KNOWN_RELATIONS.has(String(relation))) return false;
  return differs(hostOf(origin), hostOf(`http://${host}`));
}

/** `none` is a request of the user, not of a page. */
const KNOWN_RELATIONS: ReadonlySet<string> = new Set(["same-origin", "same-site", "none"]);

/** The host that an origin names; "" for none, such as `null`. */
const hostOf = (origin: string): string =>
  /^https?:/.test(origin) && URL.canParse(origin) ? new URL(origin).hostname : "";

/** Whether two hosts are surely of different sites. */
function differs(page: string, host: string): boolean {
  if (page === host) return false;
  // A browser says its site to loopback. So a proxy in between
  // has changed the host.
  if (isLoopbackName(host) && page !== "" && !isLoopbackName(page)) return false;
  return isAddress(page) || isAddress(host) || lastLabels(page) !== lastLabels(host);
}

const isAddress = (host: string): boolean => host.startsWith("[") || isIP(host) !== 0;

/** A registrable domain has two labels at least. */
const lastLabels = (host: string): string => host.split(".").slice(-2).join(".");
