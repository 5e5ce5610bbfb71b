/**
 * How a missing value is loaded: once in this process, once in the fleet, and in any case.
 *
 * In the process, whoever asks for the same value under the same tag versions joins the load that is under way; after an
 * invalidation the versions differ, so nobody joins a load that began before it. In the fleet a lease decides (redis/lease.ts).
 * Those without it wait until the value is filled or the lease runs out, look again, and after {@link ROUNDS} load for themselves.
 */
import { encodeEntry, type Entry, freeze } from "./cache-entry.js";
import type { CacheParts, Found, Load } from "./cache.js";
import type { Observation } from "./cache-local.js";

/** One key to be read: its name in the cache and the tags it depends on, the epoch first. */
export interface Slot<K> {
  readonly key: K;
  readonly name: string;
  readonly tags: readonly string[];
  readonly tagKeys: readonly string[];
}

/** Looks slots up in Redis. */
type LookUp<K> = (slots: readonly Slot<K>[]) => Promise<Found<K>[]>;
type Values<V> = Map<string, V | null>;

/** A slot whose lease we hold, and the tag versions read since. */
interface Granted<K> {
  readonly slot: Slot<K>;
  readonly fence: string;
  readonly versions: readonly string[];
}

/** A slot that somebody else is loading. */
interface Held<K> {
  readonly slot: Slot<K>;
  until(): Promise<void>;
}

/** A holder that dies costs its waiters one round; the second holder may die too. */
const ROUNDS = 3;
/** Redis reports what is left of a lease in whole milliseconds, rounded down. */
const LEASE_SLACK_MS = 2;
/** By how much at most a TTL is shortened, so that values filled together do not expire together. */
const JITTER = 0.1;

export function createLoader({ link, keys, tags, leases, local, times }: CacheParts) {
  const flights = new Map<string, { readonly value: Promise<unknown>; readonly tagKeys: readonly string[] }>();
  const refreshing = new Set<string>();

  /** Joins what is under way under the same id and starts the rest as one piece of work. */
  const share = async <K, V>(slots: readonly Slot<K>[], idOf: (index: number) => string, start: (mine: readonly Slot<K>[]) => Promise<Values<V>>): Promise<Values<V>> => {
    const ids = slots.map((_, index) => idOf(index));
    const mine = slots.filter((_, index) => !flights.has(ids[index] as string));
    const work = mine.length > 0 ? start(mine) : Promise.resolve<Values<V>>(new Map());
    const joined = slots.map((slot, index) => {
      const id = ids[index] as string;
      const flight = flights.get(id) ?? { value: work.then((values) => values.get(slot.name) ?? null), tagKeys: slot.tagKeys };
      flights.set(id, flight);
      const end = () => flights.get(id) === flight && flights.delete(id);
      flight.value.then(end, end);
      return flight.value as Promise<V | null>;
    });
    const values = await Promise.all(joined);
    return new Map(slots.map(({ name }, index) => [name, values[index] ?? null]));
  };

  const loadAll = async <K, V>(slots: readonly Slot<K>[], load: Load<K, V>): Promise<Values<V>> => {
    const values = await load(slots.map(({ key }) => key));
    return new Map(slots.map(({ name }, index) => [name, values[index] ?? null]));
  };

  /** Asks for the lease of every slot and for the versions of all their tags, in one round trip; null when Redis gives none. */
  const acquire = async <K>(slots: readonly Slot<K>[]): Promise<{ granted: Granted<K>[]; held: Held<K>[] } | null> => {
    const waits = slots.map(({ name }) => leases.wait(name));
    try {
      return await link.run("cache acquire", async () => {
        const names = [...new Set(slots.flatMap((slot) => slot.tags))];
        const [versions, answers] = await Promise.all([tags.ensure(names, link.servers()), Promise.all(slots.map(({ name }) => leases.acquire(name)))]);
        const versionOf = new Map(names.map((name, index) => [name, versions[index] ?? ""]));
        return sortAnswers(slots, answers, waits, versionOf);
      });
    } catch {
      for (const wait of waits) wait.stop();
      return null;
    }
  };

  const loadAndFill = async <K, V>(granted: readonly Granted<K>[], load: Load<K, V>, observation: Observation): Promise<Values<V>> => {
    try {
      const values = await loadAll(
        granted.map(({ slot }) => slot),
        load,
      );
      for (const grant of granted) fill(grant, values.get(grant.slot.name) ?? null, observation);
      return values;
    } catch (error) {
      for (const { slot, fence } of granted) leases.release(slot.name, fence).catch(() => {});
      throw error;
    }
  };

  /** Nobody waits for a fill, and one that is lost is loaded again. */
  const fill = <K>({ slot, fence, versions }: Granted<K>, value: unknown, observation: Observation): void => {
    const freshMs = Math.round(times.ttlMs * (1 - JITTER * Math.random()));
    const rest = encodeEntry(value, { freshMs, graceMs: times.graceMs, versions });
    const entry: Entry = { value: freeze(value), storedAtMs: link.nowMs(), freshMs, graceMs: times.graceMs, versions, size: rest.length };
    local.put(observation, slot.name, slot.tagKeys, entry, versions);
    link.connection.cacheFill(keys.cacheEntry(slot.name), keys.cacheLease(slot.name), fence, rest, freshMs + times.graceMs, keys.cacheFilled(), slot.name).catch(() => {});
  };

  const loadUnderLease = async <K, V>(slots: readonly Slot<K>[], load: Load<K, V>, lookUp: LookUp<K>, rounds: number): Promise<Values<V>> => {
    const observation = local.observe();
    try {
      const answer = rounds > 0 ? await acquire(slots) : null;
      if (answer === null) return await loadAll(slots, load);
      const parts = await Promise.all([loadAndFill(answer.granted, load, observation), awaitOthers(answer.held, load, lookUp, rounds)]);
      return new Map(parts.flatMap((part) => [...part]));
    } finally {
      observation.end();
    }
  };

  const awaitOthers = async <K, V>(held: readonly Held<K>[], load: Load<K, V>, lookUp: LookUp<K>, rounds: number): Promise<Values<V>> => {
    if (held.length === 0) return new Map();
    await Promise.all(held.map(({ until }) => until()));
    const slots = held.map(({ slot }) => slot);
    const found = await lookUp(slots).catch(() => null);
    if (found === null) return loadAll(slots, load);
    const missing = found.filter(({ freshness }) => freshness === "dead").map(({ slot }) => slot);
    const loaded = missing.length > 0 ? await loadUnderLease(missing, load, lookUp, rounds - 1) : new Map<string, V | null>();
    return new Map(found.map(({ slot, entry }) => [slot.name, loaded.has(slot.name) ? (loaded.get(slot.name) ?? null) : ((entry?.value ?? null) as V | null)]));
  };

  /** Loads again what is still old in Redis and nobody else is loading. */
  const loadAgain = async <K, V>(slots: readonly Slot<K>[], load: Load<K, V>, lookUp: LookUp<K>): Promise<void> => {
    const due = (await lookUp(slots)).filter(({ freshness }) => freshness !== "fresh").map(({ slot }) => slot);
    if (due.length === 0) return;
    const observation = local.observe();
    try {
      const answer = await acquire(due);
      await loadAndFill(answer?.granted ?? [], load, observation);
    } finally {
      observation.end();
    }
  };

  return {
    /** Loads slots that Redis does not hold. */
    loadOnce: <K, V>(missing: readonly Found<K>[], load: Load<K, V>, lookUp: LookUp<K>): Promise<Values<V>> =>
      share(
        missing.map(({ slot }) => slot),
        (index) => `${missing[index]?.slot.name}\n${missing[index]?.current.join()}`,
        (mine) => loadUnderLease(mine, load, lookUp, ROUNDS),
      ),
    /** Loads slots while Redis cannot be asked. */
    loadWithoutRedis: <K, V>(slots: readonly Slot<K>[], load: Load<K, V>): Promise<Values<V>> =>
      share(
        slots,
        (index) => `${slots[index]?.name}`,
        (mine) => loadAll(mine, load),
      ),
    /** Loads slots again in the background; what was served in their place stays good if that fails. */
    refresh<K, V>(slots: readonly Slot<K>[], load: Load<K, V>, lookUp: LookUp<K>): void {
      const due = slots.filter(({ name }) => !refreshing.has(name));
      for (const { name } of due) refreshing.add(name);
      const end = () => due.forEach(({ name }) => refreshing.delete(name));
      if (due.length > 0) loadAgain(due, load, lookUp).then(end, end);
    },
    /** Lets nobody join a load of these tags that is under way: it may have begun before they changed. */
    forget(tagKeys: readonly string[]): void {
      for (const [id, flight] of flights) if (flight.tagKeys.some((key) => tagKeys.includes(key))) flights.delete(id);
    },
  };
}

type Wait = ReturnType<CacheParts["leases"]["wait"]>;
type Answer = Awaited<ReturnType<CacheParts["leases"]["acquire"]>>;

function sortAnswers<K>(slots: readonly Slot<K>[], answers: readonly Answer[], waits: readonly Wait[], versionOf: ReadonlyMap<string, string>) {
  const granted: Granted<K>[] = [];
  const held: Held<K>[] = [];
  for (const [index, slot] of slots.entries()) {
    const answer = answers[index] as Answer;
    const wait = waits[index] as Wait;
    if ("fence" in answer) {
      wait.stop();
      granted.push({ slot, fence: answer.fence, versions: slot.tags.map((tag) => versionOf.get(tag) ?? "") });
    } else held.push({ slot, until: () => wait.until(answer.heldForMs + LEASE_SLACK_MS) });
  }
  return { granted, held };
}
