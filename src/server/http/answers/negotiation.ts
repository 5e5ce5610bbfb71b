/** What a client accepts, by its headers. */
import type { IncomingHttpHeaders } from "node:http";
import { LRUCache } from "lru-cache";
import Negotiator from "negotiator";
import type { Coding } from "../../answers/stored-answer.js";

/** As Apollo offers them, in its order. */
const TYPES = [
  "application/json; charset=utf-8",
  "application/graphql-response+json; charset=utf-8",
  "application/json; callbackSpec=1.0; charset=utf-8",
];
const CODINGS = ["br", "gzip"];
const MAX_KNOWN = 100;

/** The media type as Apollo chooses it; null where none is accepted. */
export function acceptedType({ accept }: IncomingHttpHeaders): string | null {
  if (!accept) return TYPES[0] ?? null;
  return readOnce(acceptedTypes, accept, () =>
    new Negotiator({ headers: { accept } }).mediaType(TYPES),
  );
}

/** Brotli where it is accepted, for it is smaller; null for no coding. */
export function acceptedCoding(headers: IncomingHttpHeaders): Coding | null {
  const accepted = headers["accept-encoding"];
  if (!accepted) return null;
  const choice = readOnce(acceptedCodings, accepted, () => {
    const able = new Negotiator({ headers: { "accept-encoding": accepted } }).encodings(CODINGS);
    return CODINGS.find((coding) => able.includes(coding));
  });
  return choice === "br" || choice === "gzip" ? choice : null;
}

type Choices = LRUCache<string, { readonly choice: string | null }>;
const acceptedTypes: Choices = new LRUCache({ max: MAX_KNOWN });
const acceptedCodings: Choices = new LRUCache({ max: MAX_KNOWN });

/** Clients send few different headers; each is read once. */
function readOnce(
  choices: Choices,
  header: string,
  choose: () => string | undefined,
): string | null {
  let chosen = choices.get(header);
  if (!chosen) {
    chosen = { choice: choose() ?? null };
    choices.set(header, chosen);
  }
  return chosen.choice;
}
