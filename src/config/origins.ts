/**
 * The list of origins that may call, each written as browsers
 * send it. Another spelling would be compared in vain, so it
 * stops the start.
 */
import { z } from "zod";
import { isLoopbackName } from "../domain/address.js";

/** Exact origins, separated by commas or blanks. */
export const exactOrigins = z.string().transform((text, context) => {
  const items = text.split(/[\s,]+/).filter(Boolean);
  for (const item of items) {
    const message = faultOfOrigin(item);
    if (message !== null) context.addIssue({ code: "custom", message });
  }
  return items;
});

/** Why a text is no exact origin; null where it is one. */
function faultOfOrigin(item: string): string | null {
  const spelling = browserSpelling(item);
  if (spelling === item) return null;
  const shown = JSON.stringify(withoutLogin(item));
  if (item === "null") return `${shown} stands for any page without an origin: none is let in`;
  if (item.includes("*")) return `${shown} has a wildcard: name each origin`;
  return spelling === null
    ? `${shown} is not an origin such as https://shop.example`
    : `${shown} is not as browsers spell it: write ${spelling}`;
}

/** The origin that is meant, as browsers send it; null for none. */
function browserSpelling(item: string): string | null {
  const url = withScheme(item);
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/\.$/, "");
  if (!/^https?:$/.test(protocol) || !HOST.test(host)) return null;
  return `${protocol}//${host}${port && `:${port}`}`;
}

/** A name, an IPv4 address, or an IPv6 address in brackets. */
const HOST = /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/;

/** `localhost:3000` parses as a URL of the scheme `localhost:`. */
function withScheme(item: string): string {
  if (/^wss?:/i.test(item)) return item.replace(/^ws/i, "http");
  if (/^https?:/i.test(item)) return item;
  const [, scheme, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):)?\/\/(.*)$/is.exec(item) ?? [];
  if (scheme !== undefined) return item;
  const bare = rest || item;
  const guess = URL.canParse(`http://${bare}`) ? new URL(`http://${bare}`).hostname : "";
  return `${isLoopbackName(guess) ? "http" : "https"}://${bare}`;
}

/** A login in a URL is never printed. */
const withoutLogin = (item: string): string => item.replace(/^(\w+:\/\/)?.*@/s, "$1…@");
