/**
 * Announces changes, throttled: of each thing at most once per window, at its beginning and at its
 * end, with the latest version.
 *
 * A version counts as announced once the publication has succeeded. One that failed is repeated
 * with backoff, by the latest version: a lost publication leaves every subscriber on an old value,
 * and nothing else would tell them. Redis down: repeats go on until it answers. Memory: one entry
 * per thing that changed and is not announced yet.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type Backoff, backoffMs } from "../domain/time/backoff.js";
import { SECOND } from "../domain/time/time.js";

/** What an announcer needs. */
export interface AnnouncerOptions {
  /** Shortest time between two publications about one thing. */
  readonly everyMs: number;
  readonly log: Logger;
}

/** Announces changes of things that are told apart by number. */
export interface Announcer {
  /**
   * A thing has a new version. `publish` sends it, now or later; it rejects when that is not known
   * to have been done.
   */
  changed(thing: number, version: number, publish: (version: number) => Promise<unknown>): void;
  /** Stops; what is not announced yet never is. */
  close(): void;
}

interface Pending {
  /**
   * It changed since the last publication, or that one failed. Versions cannot tell: two changes
   * may share one.
   */
  due: boolean;
  version: number;
  publish: (version: number) => Promise<unknown>;
}

const RETRY: Backoff = { firstMs: 50, longestMs: SECOND };

export function createAnnouncer({ everyMs, log }: AnnouncerOptions): Announcer {
  const things = new Map<number, Pending>();
  const closing = new AbortController();
  const { signal } = closing;
  const wait = (ms: number): Promise<void> => delay(ms, undefined, { signal }).catch(() => {});

  const send = async ({ version, publish }: Pending): Promise<boolean> => {
    try {
      await publish(version);
      return true;
    } catch (error) {
      log.debug({ err: (error as Error).message }, "a change was not announced yet");
      return false;
    }
  };
  const announce = async (thing: number, pending: Pending): Promise<void> => {
    for (let failures = 0; !signal.aborted && pending.due; ) {
      pending.due = false;
      const [sent] = await Promise.all([send(pending), wait(everyMs)]);
      failures = sent ? 0 : failures + 1;
      if (sent) continue;
      pending.due = true;
      await wait(backoffMs(failures, RETRY));
    }
    things.delete(thing);
  };

  return {
    changed(thing, version, publish) {
      const known = things.get(thing);
      if (known) {
        known.due = true;
        known.version = Math.max(known.version, version);
        known.publish = publish;
        return;
      }
      const pending = { due: true, version, publish };
      things.set(thing, pending);
      void announce(thing, pending);
    },
    close: () => closing.abort(),
  };
}
