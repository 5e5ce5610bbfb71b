/**
 * How a missing value is loaded: once in this process, once
 * in the fleet, and in any case.
 *
 * In the process, readers of a value under the same tag
 * versions share one load. An invalidation changes the
 * versions, so older loads are not joined. In the fleet a
 * lease decides (redis/client/lease.ts). Processes without it
 * wait until the value is filled or the lease ends. Then they
 * look again. After {@link ROUNDS} they load for themselves.
 */

import { NEWEST } from "../../domain/reading/consistency-token.js";
import { SECOND } from "../../domain/time/time.js";
import type { CacheDeps, LoadValues, Values } from "./deps.js";
import { freeze } from "./entry.js";
import { Filler } from "./fill.js";
import { acquireLeases, type Granted, type Held, type Wanted } from "./leases.js";
import { LoadSharing } from "./load-sharing.js";
import type { EpochObservation } from "./local.js";
import type { KeyLookup, Lookup, LookupResult } from "./lookup.js";

/**
 * A holder that dies costs its waiters one round; the second
 * holder may die too.
 */
const ROUNDS = 3;
/**
 * Rest after a failed refresh: its source is in trouble
 * already.
 */
const REFRESH_RETRY_MS = SECOND;

export class Loader {
  private readonly flights = new LoadSharing();
  /**
   * Names being loaded again in the background, or resting
   * after that failed.
   */
  private readonly refreshing = new Set<string>();
  private readonly filler: Filler;
  /**
   * Turns with a reader of the newest, and whether the last
   * one is over.
   */
  private turns = 0;
  private isTurnOver = true;

  constructor(
    private readonly deps: CacheDeps,
    private readonly lookup: Lookup,
  ) {
    this.filler = new Filler(deps);
  }

  /**
   * Loads slots that Redis does not hold.
   * @param seen count of the reader's consistency token:
   * distinguishes loads where a tag has no version
   */
  async loadOnce<K, V>(
    missing: readonly LookupResult<K>[],
    load: LoadValues<K, V>,
    seen: number,
  ): Promise<Values<V>> {
    const seenName = this.seenName(seen);
    const flown = missing.map(({ slot, fence, current }) => {
      const versions = current.includes(null) ? `${current.join()}#${seenName}` : current.join();
      return {
        slot,
        fence,
        name: slot.name,
        tagKeys: slot.tagKeys,
        id: `${slot.name}\n${versions}`,
      };
    });
    const values = await this.flights.join(
      flown,
      ({ id }) => id,
      async (mine) => {
        const loaded = await this.loadUnderLease(mine, load, ROUNDS);
        return mine.map(({ name }) => loaded.get(name) ?? null);
      },
    );
    return toValues(flown, values);
  }

  /**
   * Loads slots without Redis. Readers share a load that began
   * after all they have seen.
   */
  async loadWithoutRedis<K, V>(
    slots: readonly KeyLookup<K>[],
    load: LoadValues<K, V>,
    seen: number,
  ): Promise<Values<V>> {
    const seenName = this.seenName(seen);
    const values = await this.flights.join(
      slots,
      ({ name }) => `${name}\n#${seenName}`,
      async (mine) => {
        const loaded = await loadAll(mine, load);
        return mine.map(({ name }) => loaded.get(name) ?? null);
      },
    );
    return toValues(slots, values);
  }

  /**
   * Names what a reader has seen. A reader of the newest joins
   * only loads of its own turn: an earlier one may miss a
   * write.
   */
  private seenName(seen: number): string {
    if (seen !== NEWEST) return `${seen}`;
    if (this.isTurnOver) {
      this.turns += 1;
      this.isTurnOver = false;
      setImmediate(() => {
        this.isTurnOver = true;
      });
    }
    return `newest ${this.turns}`;
  }

  /**
   * Loads slots again in the background; what was served in
   * their place stays good if that fails.
   */
  refresh<K, V>(slots: readonly KeyLookup<K>[], load: LoadValues<K, V>): void {
    const due = slots.filter(({ name }) => !this.refreshing.has(name));
    if (due.length === 0) return;
    for (const { name } of due) this.refreshing.add(name);
    const end = () => {
      for (const { name } of due) this.refreshing.delete(name);
    };
    this.loadAgain(due, load).then(end, () => setTimeout(end, REFRESH_RETRY_MS).unref());
  }

  /**
   * No load of these tags under way is joined any more: it may
   * have begun before they changed.
   */
  forget(tagKeys: readonly string[]): void {
    this.flights.forget(tagKeys);
  }

  /** Loads under way, in front of readers and behind them. */
  size(): { readonly flights: number; readonly refreshing: number; readonly filling: number } {
    const filling = this.filler.size();
    return { flights: this.flights.size, refreshing: this.refreshing.size, filling };
  }

  private async loadUnderLease<K, V>(
    wanted: readonly Wanted<K>[],
    load: LoadValues<K, V>,
    rounds: number,
  ): Promise<Values<V>> {
    if (rounds === 0)
      return loadAll(
        wanted.map(({ slot }) => slot),
        load,
      );
    const observation = this.deps.local.observe();
    try {
      const { granted, held, refused } = await acquireLeases(this.deps, wanted, "wait");
      const own = this.loadAndFill(granted, refused, load, observation);
      return new Map(
        (await Promise.all([own, this.awaitOthers(held, load, rounds)])).flatMap((part) => [
          ...part,
        ]),
      );
    } finally {
      observation.end();
    }
  }

  private async awaitOthers<K, V>(
    held: readonly Held<K>[],
    load: LoadValues<K, V>,
    rounds: number,
  ): Promise<Values<V>> {
    if (held.length === 0) return new Map();
    await Promise.all(held.map(({ over }) => over()));
    const slots = held.map(({ slot }) => slot);
    const found = await this.lookup.find(slots).catch(() => null);
    if (found === null) return loadAll(slots, load);
    const missing = found.filter(({ freshness }) => freshness === "dead");
    const loaded =
      missing.length > 0
        ? await this.loadUnderLease(missing, load, rounds - 1)
        : new Map<string, V | null>();
    return new Map([
      ...found.map(({ slot, entry }) => [slot.name, (entry?.value ?? null) as V | null] as const),
      ...loaded,
    ]);
  }

  /**
   * Loads again what is still old in Redis and has no other
   * loader.
   */
  private async loadAgain<K, V>(
    slots: readonly KeyLookup<K>[],
    load: LoadValues<K, V>,
  ): Promise<void> {
    const due = (await this.lookup.find(slots)).filter(({ freshness }) => freshness !== "fresh");
    if (due.length === 0) return;
    const observation = this.deps.local.observe();
    try {
      const { granted } = await acquireLeases(this.deps, due, "pass");
      await this.loadAndFill(granted, [], load, observation);
    } finally {
      observation.end();
    }
  }

  /**
   * One load for leased and refused slots; only the leased
   * ones are filled.
   */
  private async loadAndFill<K, V>(
    granted: readonly Granted<K>[],
    refused: readonly KeyLookup<K>[],
    load: LoadValues<K, V>,
    observation: EpochObservation,
  ): Promise<Values<V>> {
    try {
      const values = await loadAll([...granted.map(({ slot }) => slot), ...refused], load);
      this.filler.fill(granted, values, observation);
      return values;
    } catch (error) {
      for (const { slot, fence } of granted) this.filler.release(slot.name, fence);
      throw error;
    }
  }
}

/**
 * Loads slots from the source. Throws when answers are
 * missing: they would be cached as absent.
 */
async function loadAll<K, V>(
  slots: readonly KeyLookup<K>[],
  load: LoadValues<K, V>,
): Promise<Values<V>> {
  if (slots.length === 0) return new Map();
  const values = await load(slots.map(({ key }) => key));
  if (values.length !== slots.length)
    throw new Error(`a load answered ${values.length} of ${slots.length} keys`);
  return toValues(slots, values.map(freeze));
}

function toValues<V>(
  slots: readonly { readonly name: string }[],
  values: readonly (V | null)[],
): Values<V> {
  return new Map(slots.map(({ name }, index) => [name, values[index] ?? null]));
}
