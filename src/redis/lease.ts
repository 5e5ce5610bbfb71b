/**
 * Leases: one process in the whole fleet has the right to load a missing value, the others wait to be told.
 *
 * One HASH per value (fence, whether somebody waits), gone by itself when its holder dies. The *fence* is a number that rises with
 * every lease; the guarded value begins with the fence it was written with, and a write with an older fence is refused. Those who
 * wait listen on one channel per process, where a name is published only when somebody waits for it.
 * Redis down: `acquire` rejects and waits end at their deadline; the caller loads for itself.
 * Source: the leases of Facebook's memcache (Nishtala et al., 2013) with the fencing token of Kleppmann (2016).
 */
import { randomUUID } from "node:crypto";
import type { Result } from "ioredis";
import type { RedisConnection } from "./client.js";
import type { Keys } from "./keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    leaseAcquire(lease: string, value: string, leaseMs: number): Result<[taken: 0 | 1, fenceOrMsLeft: string], Context>;
    leaseRelease(lease: string, fence: string, channel: string, name: string): Result<0 | 1, Context>;
  }
}

/** A lease that was taken, or how long the present one lasts. */
export type LeaseAnswer = { readonly fence: string } | { readonly heldForMs: number };

/** Takes and awaits leases. */
export type Leases = ReturnType<typeof createLeases>;

/**
 * @param listener a connection in subscriber mode; it is subscribed by {@link Leases.listen}
 * @param leaseMs how long a lease lasts: longer than most loads take, as short as a dead holder may delay others
 */
export function createLeases(connection: RedisConnection, listener: RedisConnection, keys: Keys, { leaseMs }: { leaseMs: number }) {
  const waiters = new Map<string, Map<string, () => void>>();
  const onMessage = (channel: string, name: string) => {
    if (channel === keys.cacheFilled()) for (const wake of waiters.get(name)?.values() ?? []) wake();
  };
  listener.on("message", onMessage);
  return {
    /** Hears of filled values from now on. Called again after every reconnect. */
    listen: async (): Promise<void> => void (await listener.subscribe(keys.cacheFilled())),
    /** Takes the lease of `name`, or learns how long it is held. One EVALSHA; O(1). */
    async acquire(name: string): Promise<LeaseAnswer> {
      const [taken, rest] = await connection.leaseAcquire(keys.cacheLease(name), keys.cacheEntry(name), leaseMs);
      return taken === 1 ? { fence: rest } : { heldForMs: Math.max(0, Number(rest)) };
    },
    /** Gives a lease back without a value. */
    release: (name: string, fence: string): Promise<0 | 1> => connection.leaseRelease(keys.cacheLease(name), fence, keys.cacheFilled(), name),
    /** Begins to wait for `name`. Begin before `acquire`, so that no message falls between the two. */
    wait(name: string): { until(deadlineMs: number): Promise<void>; stop(): void } {
      const id = randomUUID();
      let wake = () => {};
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      waiters.set(name, (waiters.get(name) ?? new Map<string, () => void>()).set(id, wake));
      const stop = () => forget(waiters, name, id);
      return {
        async until(deadlineMs) {
          const timer = setTimeout(wake, deadlineMs);
          await woken;
          clearTimeout(timer);
          stop();
        },
        stop,
      };
    },
    close: (): void => void listener.off("message", onMessage),
  };
}

function forget(waiters: Map<string, Map<string, () => void>>, name: string, id: string): void {
  const ofName = waiters.get(name);
  ofName?.delete(id);
  if (ofName?.size === 0) waiters.delete(name);
}
