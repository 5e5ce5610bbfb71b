/**
 * What the cache stores: `<fence>|<stored at>|<fresh
 * for>|<grace>|<versions, comma-separated>\n<JSON>`. The head
 * is text, so that a script can read the fence. A reader can
 * refuse an entry without parsing its value.
 */
import { compareTag, type TagVerdict } from "./tags.js";

/** A value with all that decides whether it may be served. */
export interface Entry<V = unknown> {
  readonly value: V | null;
  /** Ms since epoch, Redis clock. */
  readonly storedAtMs: number;
  readonly freshMs: number;
  /** How long after `freshMs` it may be served as stale. */
  readonly graceMs: number;
  /**
   * Versions of its tags, read before the load began, in the
   * order of the tags; the epoch first.
   */
  readonly versions: readonly string[];
  /** Length of the stored text, in characters. */
  readonly size: number;
}

/**
 * Whether an entry may be served, and as what. `early`:
 * fresh, and old enough to load again ahead of time.
 */
export type Freshness = "fresh" | "early" | "stale" | "dead";

/**
 * Share of the TTL that passes before a read refreshes the
 * value ahead of time.
 */
const EARLY_FRACTION = 0.8;

/**
 * What is written after fence and time; the script adds
 * those.
 */
export function encodeEntry(
  value: unknown,
  { freshMs, graceMs, versions }: Pick<Entry, "freshMs" | "graceMs" | "versions">,
): string {
  return `${freshMs}|${graceMs}|${versions.join(",")}\n${JSON.stringify(value)}`;
}

/**
 * Reads a stored entry; null when it is missing or not one
 * of ours.
 */
export function decodeEntry<V>(text: string | null): Entry<V> | null {
  if (text === null) return null;
  const end = text.indexOf("\n");
  const [, storedAt, fresh, grace, versions] = text.slice(0, Math.max(0, end)).split("|");
  const value = versions === undefined ? undefined : parseEntry<V>(text.slice(end + 1));
  if (versions === undefined || value === undefined) return null;
  return {
    value,
    storedAtMs: Number(storedAt),
    freshMs: Number(fresh),
    graceMs: Number(grace),
    versions: versions.split(","),
    size: text.length,
  };
}

/**
 * The fence a stored text was written with, as the scripts
 * read it; 0 when there is none.
 */
export function fenceOf(text: string | null): number {
  return Number(text?.slice(0, FENCE_CHARACTERS)) || 0;
}

/**
 * Microseconds since epoch have sixteen digits until the
 * year 2286.
 */
const FENCE_CHARACTERS = 16;

/**
 * Undefined when it is no JSON: a damaged entry is loaded
 * again like a missing one.
 */
function parseEntry<V>(json: string): V | null | undefined {
  try {
    return freeze(JSON.parse(json) as V | null);
  } catch {
    return undefined;
  }
}

/** Freezes a value deeply: all its readers share it. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}

/**
 * Judges an entry's tags against their present versions, in
 * the same order: the worst verdict of any.
 */
export function judgeTags(
  { versions }: Pick<Entry, "versions">,
  current: readonly (string | null)[],
): TagVerdict {
  if (versions.length !== current.length) return "dead";
  let worst: TagVerdict = "current";
  for (const [index, carried] of versions.entries()) {
    const verdict = compareTag(carried, current[index] ?? null);
    if (verdict === "dead") return "dead";
    if (verdict === "stale") worst = "stale";
  }
  return worst;
}

/**
 * When an entry is loaded again ahead of time; ms since
 * epoch, Redis clock.
 */
export const dueAtMs = ({ storedAtMs, freshMs }: Entry): number =>
  storedAtMs + freshMs * EARLY_FRACTION;

/**
 * Judges an entry whose tags were judged, by its age.
 * @param nowMs Redis clock
 */
export function judgeAge(
  { storedAtMs, freshMs, graceMs }: Entry,
  tags: TagVerdict,
  nowMs: number,
): Freshness {
  const ageMs = nowMs - storedAtMs;
  if (tags === "dead" || !(ageMs < freshMs + graceMs)) return "dead";
  if (tags === "stale" || ageMs >= freshMs) return "stale";
  return ageMs >= freshMs * EARLY_FRACTION ? "early" : "fresh";
}
