/**
 * Publishes changes, throttled: each thing once per
 * window at most. At its beginning and end, with the
 * latest version.
 *
 * A failed publication is retried with backoff, with
 * the latest version. A lost one would leave all
 * subscribers on an old value. Redis down: repeats go
 * on until it answers. Memory: one entry per thing
 * with a change that is not published yet.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type Backoff, backoffMs } from "../domain/time/backoff.js";
import { SECOND } from "../domain/time/time.js";

export interface ThrottleOptions {
  /** Shortest time between two publications of one thing. */
  readonly everyMs: number;
  readonly log: Logger;
}

export interface ThrottledPublisherDeps<T> extends ThrottleOptions {
  /** Identifies a thing. */
  readonly keyOf: (thing: T) => number;
  /** Publishes; rejects when that is not known to have succeeded. */
  readonly send: (thing: T, version: number) => Promise<unknown>;
}

/** Publishes changes of things. */
export interface ThrottledPublisher<T> {
  /** Publishes now, or at the end of the thing's window. */
  publish(thing: T, version: number): void;
  /** Stops; pending changes are dropped. */
  close(): void;
}

interface Pending<T> {
  /** To be published. Versions cannot say so: two changes may share one. */
  due: boolean;
  thing: T;
  version: number;
}

const PUBLISH_RETRY: Backoff = { firstMs: 50, longestMs: SECOND };

export function createThrottledPublisher<T>({
  everyMs,
  log,
  keyOf,
  send,
}: ThrottledPublisherDeps<T>): ThrottledPublisher<T> {
  const things = new Map<number, Pending<T>>();
  const closing = new AbortController();
  const { signal } = closing;
  const wait = (ms: number): Promise<void> => delay(ms, undefined, { signal }).catch(() => {});

  const attempt = async ({ thing, version }: Pending<T>): Promise<boolean> => {
    try {
      await send(thing, version);
      return true;
    } catch (error) {
      log.debug({ err: (error as Error).message }, "a change was not announced yet");
      return false;
    }
  };
  const run = async (key: number, pending: Pending<T>): Promise<void> => {
    for (let failures = 0; !signal.aborted && pending.due; ) {
      pending.due = false;
      const [sent] = await Promise.all([attempt(pending), wait(everyMs)]);
      failures = sent ? 0 : failures + 1;
      if (sent) continue;
      pending.due = true;
      await wait(backoffMs(failures, PUBLISH_RETRY));
    }
    things.delete(key);
  };

  return {
    publish(thing, version) {
      const key = keyOf(thing);
      const known = things.get(key);
      if (known) {
        Object.assign(known, { due: true, thing, version: Math.max(known.version, version) });
        return;
      }
      const pending = { due: true, thing, version };
      things.set(key, pending);
      void run(key, pending);
    },
    close: () => closing.abort(),
  };
}
