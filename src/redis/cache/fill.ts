/** Fills loaded values into the local level and into Redis. */
import { inOneTurn } from "../client/connect.js";
import type { CacheDeps, Values } from "./deps.js";
import { type Entry, encodeEntry } from "./entry.js";
import type { Granted } from "./leases.js";
import type { EpochObservation } from "./local.js";

/**
 * A TTL is shortened by up to this, so that values filled
 * together expire apart.
 */
const JITTER = 0.1;

export class Filler {
  private filling = 0;

  constructor(private readonly deps: CacheDeps) {}

  /** Fills under way. */
  size(): number {
    return this.filling;
  }

  /**
   * One pipelined round trip, in the background. A lost fill
   * is loaded again.
   */
  fill<K>(
    granted: readonly Granted<K>[],
    values: Values<unknown>,
    observation: EpochObservation,
  ): void {
    if (granted.length === 0) return;
    const fills = granted.map((grant) => ({
      ...grant,
      ...this.prepare(grant, values.get(grant.slot.name) ?? null),
    }));
    for (const { slot, entry, versions } of fills) {
      this.deps.local.put(observation, {
        name: slot.name,
        tagKeys: slot.tagKeys,
        entry,
        current: versions,
      });
    }
    // Waiters look again, find nothing and load for themselves,
    // as on a full server.
    const write = this.deps.budget.spent()
      ? async (one: (typeof fills)[number]) => this.release(one.slot.name, one.fence)
      : this.write.bind(this);
    const send = () => Promise.all(fills.map(write));
    this.filling += 1;
    const end = () => {
      this.filling -= 1;
    };
    this.deps.link.run("fill", () => inOneTurn(this.deps.link.connection, send)).then(end, end);
  }

  private prepare<K>(
    { versions }: Granted<K>,
    value: unknown,
  ): { readonly rest: string; readonly entry: Entry } {
    const { ttlMs, graceMs } = this.deps.times;
    const freshMs = Math.round(ttlMs * (1 - JITTER * Math.random()));
    const rest = encodeEntry(value, { freshMs, graceMs, versions });
    return {
      rest,
      entry: {
        value,
        storedAtMs: this.deps.link.nowMs(),
        freshMs,
        graceMs,
        versions,
        size: rest.length,
      },
    };
  }

  /**
   * A full server refuses the fill: waiters must not wait for
   * the lease to end.
   */
  private async write<K>({
    slot,
    fence,
    rest,
    entry,
  }: Granted<K> & { readonly rest: string; readonly entry: Entry }): Promise<void> {
    const { keys, link } = this.deps;
    const { name } = slot;
    const lifetimeMs = entry.freshMs + entry.graceMs;
    await link.connection
      .cacheFill(
        keys.cacheEntry(name),
        keys.cacheLease(name),
        fence,
        rest,
        lifetimeMs,
        keys.cacheFilled(),
        name,
      )
      .catch(() => this.release(name, fence));
  }

  /** Gives a lease back without a value. */
  release(name: string, fence: string): void {
    this.deps.leases.release(name, fence).catch(() => {});
  }
}
