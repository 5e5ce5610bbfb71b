/**
 * Nothing is measured before its answers are known to be right. Every contestant is asked each
 * operation twice, cold and from whatever it keeps, and has to answer what the others do; Souk's
 * reference is the database itself, past its cache. The data of the second answer are the bytes
 * that the rounds then expect of every answer.
 */
import { askText } from "../load.mjs";
import { PAST_CACHE } from "./shop.mjs";

/** The references of a row: data by request, from the database where Souk may be asked past it. */
export async function referencesOf(row, souk, requests) {
  if (row.isRight) return null;
  const headers = row.isPrivate ? souk.headers : PAST_CACHE;
  const references = [];
  for (const request of requests) references.push((await askText(souk.url, request, headers)).data);
  return references;
}

/**
 * The requests, each with `isRight` for its answers. `toData` makes the data of a reference out of
 * a peer's, whose schema may differ.
 * @throws when an answer differs from the reference, or one mutation is refused
 */
export async function verify(contestant, requests, { references, isRight, toData = same }) {
  const verified = [];
  for (const [at, request] of requests.entries()) {
    const twice = [];
    for (let time = 0; time < 2; time += 1)
      twice.push(await askText(contestant.url, request, contestant.headers));
    for (const answer of twice) {
      const wrong = isRight
        ? !isRight(Buffer.from(answer.text)) && answer.text.slice(0, 500)
        : firstDifference(references[at], toData(answer.data, references[at]), "data");
      if (wrong) throw new Error(`${contestant.title} answers something else: ${wrong}`);
    }
    const bytes = Buffer.from(twice[1].text);
    verified.push({
      ...request,
      size: bytes.length,
      isRight: isRight ?? startsWith(dataOf(bytes)),
    });
  }
  return verified;
}

const same = (data) => data;

/** The same requests of a client that holds the answers. */
export async function hold({ url, requests, headers }) {
  const held = [];
  for (const request of requests) {
    const { etag } = await askText(url, request, headers);
    const more = { headers: { "if-none-match": etag }, status: 304, size: 0 };
    held.push({ ...request, ...more, isRight: (bytes) => bytes.length === 0 });
  }
  return held;
}

/** Extensions come last, and may say something else each time: what is left of a limit. */
function dataOf(bytes) {
  const end = bytes.indexOf(',"extensions":');
  return end === -1 ? bytes : bytes.subarray(0, end);
}

const startsWith = (expected) => (bytes) => bytes.subarray(0, expected.length).equals(expected);

/** Where two values differ first, in words; null when they do not. */
export function firstDifference(a, b, path) {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null)
    return a === b ? null : `${path}: ${a} and ${b}`;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const difference = firstDifference(a[key], b[key], `${path}.${key}`);
    if (difference) return difference;
  }
  return null;
}

/**
 * Limits are on: every answer names the buckets that were charged for it.
 * @throws when one was let in without
 */
export async function verifyLimited(contestant, requests) {
  for (const request of requests) {
    const { limits } = await askText(contestant.url, request, contestant.headers);
    if (!/^"(address|viewer)";r=\d+;t=\d+, "block";r=\d+/.test(limits ?? ""))
      throw new Error(`${contestant.title} answered without a limit: RateLimit: ${limits}`);
  }
}
