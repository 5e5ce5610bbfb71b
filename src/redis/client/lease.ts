/**
 * Leases: one process of the fleet loads a missing value, the
 * others wait.
 *
 * One HASH per value (fence, whether others wait), gone by
 * itself when its holder dies. The *fence* rises with every
 * lease. The guarded value begins with its fence. A write
 * with an older fence is refused. Waiters listen on one
 * channel per process; a name is published only where a
 * waiter was noted. Redis down: `acquire` rejects, waits end
 * at their deadline, and the caller loads for itself. Source:
 * the leases of Facebook's memcache (Nishtala et al., 2013)
 * with the fencing token of Kleppmann (2016).
 */
import type { Redis, Result } from "ioredis";
import type { RedisConnection } from "./connect.js";
import type { Keys } from "./keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    leaseAcquire(
      lease: string,
      value: string,
      leaseMs: number,
      otherwise: "wait" | "pass",
      found: number,
    ): Result<[taken: 0 | 1, fenceOrMsLeft: string], Context>;
    leaseRelease(
      lease: string,
      fence: string,
      channel: string,
      name: string,
    ): Result<0 | 1, Context>;
  }
}

/** A lease that was taken, or how long the present one lasts. */
export type LeaseAnswer = { readonly fence: string } | { readonly heldForMs: number };

/** A wait for a value. */
export interface Wait {
  /**
   * Resolves when the value is filled or its lease given back;
   * after `deadlineMs` at the latest.
   */
  until(deadlineMs: number): Promise<void>;
  /** Ends the wait. Needed where `until` is not called. */
  stop(): void;
}

export type Leases = ReturnType<typeof createLeases>;

/**
 * @param listener a connection in subscriber mode; it is
 * subscribed by {@link Leases.listen}
 * @param leaseMs how long a lease lasts: longer than most
 * loads take, as short as a dead holder may delay others
 */
export function createLeases(
  connection: RedisConnection,
  listener: Redis,
  keys: Keys,
  { leaseMs }: { leaseMs: number },
) {
  const waiters = new Map<string, Set<() => void>>();
  const onMessage = (channel: string, name: string) => {
    if (channel === keys.cacheFilled()) for (const wake of waiters.get(name) ?? []) wake();
  };
  listener.on("message", onMessage);
  return {
    /**
     * Subscribes to filled values. Called again after every
     * reconnect.
     */
    listen: async (): Promise<void> => void (await listener.subscribe(keys.cacheFilled())),
    /**
     * Takes the lease of `name`, or learns how long it is held;
     * 0 ms when the value was written since. One EVALSHA.
     * @param found fence of the value the caller found, 0 for
     * none
     * @param otherwise whether the caller waits when it is held
     */
    async acquire(name: string, found: number, otherwise: "wait" | "pass"): Promise<LeaseAnswer> {
      const [taken, rest] = await connection.leaseAcquire(
        keys.cacheLease(name),
        keys.cacheEntry(name),
        leaseMs,
        otherwise,
        found,
      );
      return taken === 1 ? { fence: rest } : { heldForMs: Math.max(0, Number(rest)) };
    },
    /** Gives a lease back without a value. */
    release: (name: string, fence: string): Promise<0 | 1> =>
      connection.leaseRelease(keys.cacheLease(name), fence, keys.cacheFilled(), name),
    /**
     * Begins to wait for `name`. Begin before `acquire`, so that
     * no message falls between the two.
     */
    wait: (name: string): Wait => beginWait(waiters, name),
    /** Names that are waited for in this process. */
    waiting: (): number => waiters.size,
    close: (): void => void listener.off("message", onMessage),
  };
}

function beginWait(waiters: Map<string, Set<() => void>>, name: string): Wait {
  let wake = () => {};
  const notified = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const ofName = waiters.get(name) ?? new Set();
  waiters.set(name, ofName.add(wake));
  const stop = () => {
    ofName.delete(wake);
    if (ofName.size === 0 && waiters.get(name) === ofName) waiters.delete(name);
  };
  return {
    async until(deadlineMs) {
      const timer = setTimeout(wake, deadlineMs);
      await notified;
      clearTimeout(timer);
      stop();
    },
    stop,
  };
}
