/**
 * What the cache stores: `<fence>|<stored at>|<fresh for>|<grace>|<versions, comma-separated>\n<JSON>`.
 * The head is text, so that a script can read the fence and a reader can refuse an entry without parsing its value.
 */
import { compareTag } from "./tags.js";

/** A value with all that decides whether it may be served. */
export interface Entry<V = unknown> {
  readonly value: V | null;
  /** Ms since epoch, Redis clock. */
  readonly storedAtMs: number;
  readonly freshMs: number;
  /** How long after `freshMs` it may be served as stale. */
  readonly graceMs: number;
  /** Versions of its tags, read before the load began, in the order of the tags; the epoch first. */
  readonly versions: readonly string[];
  /** Length of the stored text, in characters. */
  readonly size: number;
}

/** Whether an entry may be served, and as what. `early`: fresh, and old enough to load again ahead of time. */
export type Freshness = "fresh" | "early" | "stale" | "dead";

/** How much of the TTL passes before a read loads the value again ahead of time. */
const EARLY_FRACTION = 0.8;

/** What is written after fence and time; the script adds those. */
export function encodeEntry(value: unknown, { freshMs, graceMs, versions }: Pick<Entry, "freshMs" | "graceMs" | "versions">): string {
  return `${freshMs}|${graceMs}|${versions.join(",")}\n${JSON.stringify(value)}`;
}

/** Reads a stored entry; null when it is missing or not one of ours. */
export function decodeEntry<V>(text: string | null): Entry<V> | null {
  if (text === null) return null;
  const end = text.indexOf("\n");
  const [, storedAt, fresh, grace, versions] = text.slice(0, end).split("|");
  if (end < 0 || versions === undefined) return null;
  return {
    value: freeze(JSON.parse(text.slice(end + 1)) as V | null),
    storedAtMs: Number(storedAt),
    freshMs: Number(fresh),
    graceMs: Number(grace),
    versions: versions.split(","),
    size: text.length,
  };
}

/** Makes a value immutable, all the way down. Values are shared by everyone who reads them: a change would be everybody's. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}

/**
 * Judges an entry against the present versions of its tags, in the same order.
 * @param nowMs Redis clock
 */
export function judge(entry: Entry, current: readonly (string | null)[], nowMs: number): Freshness {
  if (entry.versions.length !== current.length) return "dead";
  let expired = false;
  for (const [index, carried] of entry.versions.entries()) {
    const verdict = compareTag(carried, current[index] ?? null);
    if (verdict === "dead") return "dead";
    expired ||= verdict === "stale";
  }
  const ageMs = nowMs - entry.storedAtMs;
  if (ageMs >= entry.freshMs + entry.graceMs) return "dead";
  if (expired || ageMs >= entry.freshMs) return "stale";
  return ageMs >= entry.freshMs * EARLY_FRACTION ? "early" : "fresh";
}
