/**
 * Answers to GET that caches may keep: of documents of the
 * manifest whose answers are public. They say nothing of
 * their client: no cost, no limits, no cookies. An entity tag
 * names their bytes.
 */
import type { IncomingHttpHeaders } from "node:http";
import { type Coding, etagOf, type StoredAnswer } from "../../answers/stored-answer.js";
import type { StoredAnswers } from "../../answers/stored-answers.js";
import type { HttpExchange } from "../exchange.js";
import { acceptedCoding } from "./negotiation.js";
import type { HttpAnswer } from "./stored-answer.js";

/** An answer, and the client that it is for. */
export interface SharedGet {
  readonly headers: IncomingHttpHeaders;
  readonly contentType: string;
  /** How long caches that are shared may use it unasked, in seconds. */
  readonly sharedMaxAge: number;
}

export const sharedGet = (
  { sharedMaxAge }: { readonly sharedMaxAge: number },
  { headers }: Pick<HttpExchange, "headers">,
  { contentType }: { readonly contentType: string },
): SharedGet => ({ headers, contentType, sharedMaxAge });

/** An answer from the store. */
export function storedGet(
  answers: Pick<StoredAnswers, "coded">,
  key: string,
  found: StoredAnswer,
  get: SharedGet,
): HttpAnswer {
  const known = knownTag(found.etag, get.headers);
  if (known) return notModified(known, get, HIT);
  const coding = acceptedCoding(get.headers);
  const coded = coding && answers.coded(key, found, coding);
  if (!coded || !coding)
    return { ...kept(found.endedBy("}"), found.etag, get, HIT), encoding: "latin1" };
  return kept(coded, `${found.etag}-${coding}`, get, HIT, ["content-encoding", coding]);
}

/** An answer that was executed: its text without extensions. */
export function executedGet(text: string, get: SharedGet): HttpAnswer {
  const etag = etagOf(text);
  const known = knownTag(etag, get.headers);
  return known ? notModified(known, get) : kept(text, etag, get);
}

type Header = readonly [name: string, value: string];
const HIT: Header = ["cache-status", "souk; hit"];

const kept = (
  body: string | Buffer,
  tag: string,
  get: SharedGet,
  ...more: readonly Header[]
): HttpAnswer => ({
  status: 200,
  headers: [["content-type", get.contentType], ...keptHeaders(tag, get), ...more],
  body,
  isShared: true,
});

const notModified = (tag: string, get: SharedGet, ...more: readonly Header[]): HttpAnswer => ({
  status: 304,
  headers: [...keptHeaders(tag, get), ...more],
  body: "",
  isShared: true,
});

const keptHeaders = (tag: string, { sharedMaxAge }: SharedGet): readonly Header[] => [
  [
    "cache-control",
    sharedMaxAge > 0 ? `public, max-age=0, s-maxage=${sharedMaxAge}` : "public, no-cache",
  ],
  ["etag", `"${tag}"`],
  // Common headers name Origin.
  ["vary", "Accept, Accept-Encoding"],
];

/** Equal bytes once decoded: a client may hold any of them. */
const SUFFIXES: readonly ("" | `-${Coding}`)[] = ["", "-br", "-gzip"];

/** The tag of a copy that the client holds; null without one. */
function knownTag(etag: string, headers: IncomingHttpHeaders): string | null {
  const held = headers["if-none-match"];
  if (held === undefined) return null;
  if (held.trim() === "*") return etag;
  return SUFFIXES.map((suffix) => etag + suffix).find((tag) => held.includes(`"${tag}"`)) ?? null;
}
