/**
 * Takes the leases of missing values. The same round trip
 * brings the tag versions for their loads.
 */

import { inOneTurn } from "../client/connect.js";
import type { LeaseAnswer, Wait } from "../client/lease.js";
import type { CacheDeps } from "./deps.js";
import type { KeyLookup, LookupResult } from "./lookup.js";

/**
 * A slot whose lease we hold, and the tag versions read
 * since.
 */
export interface Granted<K> {
  readonly slot: KeyLookup<K>;
  readonly fence: string;
  readonly versions: readonly string[];
}

/** A slot that another process is loading. */
export interface Held<K> {
  readonly slot: KeyLookup<K>;
  /** Waits until it is filled or given up. */
  over(): Promise<void>;
}

/**
 * What became of each slot. `refused`: Redis is down or
 * full, so it is loaded without a lease and not filled.
 */
export interface Acquired<K> {
  readonly granted: readonly Granted<K>[];
  readonly held: readonly Held<K>[];
  readonly refused: readonly KeyLookup<K>[];
}

/**
 * A slot to be loaded, with the fence of what was found in
 * its place.
 */
export type Wanted<K> = Pick<LookupResult<K>, "slot" | "fence">;

type LeaseDeps = Pick<CacheDeps, "link" | "tags" | "leases">;
type Settled = PromiseSettledResult<LeaseAnswer>;

/**
 * Redis reports what is left of a lease in whole
 * milliseconds, rounded down.
 */
const LEASE_SLACK_MS = 2;
const NO_WAIT: Wait = { until: () => Promise.resolve(), stop() {} };

/**
 * Never rejects.
 * @param otherwise whether to wait for slots that others are
 * loading
 */
export async function acquireLeases<K>(
  parts: LeaseDeps,
  wanted: readonly Wanted<K>[],
  otherwise: "wait" | "pass",
): Promise<Acquired<K>> {
  const { link, tags, leases } = parts;
  const slots = wanted.map(({ slot }) => slot);
  const waits = slots.map(({ name }) => (otherwise === "wait" ? leases.wait(name) : NO_WAIT));
  const names = [...new Set(slots.flatMap((slot) => slot.tags))];
  let answers: Promise<Settled[]> = Promise.resolve([]);
  try {
    const [versions, settled] = await link.run("acquire", () =>
      inOneTurn(link.connection, () => {
        const ensured = tags.ensure(names, link.serverFingerprint());
        answers = Promise.allSettled(
          wanted.map(({ slot, fence }) => leases.acquire(slot.name, fence, otherwise)),
        );
        return Promise.all([ensured, answers]);
      }),
    );
    return sort(
      parts,
      slots.map((slot, index) => ({ slot, wait: waits[index] ?? NO_WAIT, answer: settled[index] })),
      versions,
    );
  } catch {
    for (const wait of waits) wait.stop();
    // A lease may be ours although no reply came: others must
    // not wait for us.
    answers.then((late) => {
      for (const [index, answer] of late.entries()) giveBack(parts, slots[index], answer);
    });
    return { granted: [], held: [], refused: slots };
  }
}

interface Answered<K> {
  readonly slot: KeyLookup<K>;
  readonly wait: Wait;
  readonly answer: Settled | undefined;
}

function sort<K>(
  parts: LeaseDeps,
  answered: readonly Answered<K>[],
  versionOf: ReadonlyMap<string, string>,
): Acquired<K> {
  const granted: Granted<K>[] = [];
  const held: Held<K>[] = [];
  const refused: KeyLookup<K>[] = [];
  for (const { slot, wait, answer } of answered) {
    const versions = slot.tags.flatMap((tag) => versionOf.get(tag) ?? []);
    if (answer?.status === "fulfilled" && "heldForMs" in answer.value) {
      const { heldForMs } = answer.value;
      held.push({ slot, over: () => wait.until(heldForMs + LEASE_SLACK_MS) });
      continue;
    }
    wait.stop();
    if (
      answer?.status === "fulfilled" &&
      "fence" in answer.value &&
      versions.length === slot.tags.length
    ) {
      granted.push({ slot, fence: answer.value.fence, versions });
      continue;
    }
    giveBack(parts, slot, answer);
    refused.push(slot);
  }
  return { granted, held, refused };
}

function giveBack<K>(
  { leases }: LeaseDeps,
  slot: KeyLookup<K> | undefined,
  answer: Settled | undefined,
): void {
  if (slot && answer?.status === "fulfilled" && "fence" in answer.value)
    leases.release(slot.name, answer.value.fence).catch(() => {});
}
