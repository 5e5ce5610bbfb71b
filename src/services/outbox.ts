/**
 * What a committed write owes the outside, and how it is paid: first revocations are applied and the cache is invalidated, then the
 * event is published and logs are appended to, then the row is deleted. A write settles its own row before it answers; the relay
 * (jobs/outbox-relay.ts) is the net for what a crash or an outage left behind. Scores that a write leads to are written into their
 * ledger meanwhile. Everything here can be repeated: an invalidation, a snapshot or an entry of a log sent twice change nothing, and a
 * score counts once.
 */
import type { Logger } from "pino";
import type { OutboxTable } from "../db/outbox.js";
import { lateError, withDeadline } from "../domain/deadline.js";
import type { OutboxRow } from "../domain/events.js";
import type { ShopScore } from "../domain/leaderboard.js";
import type { Seen } from "../domain/seen.js";
import { SECOND } from "../domain/time.js";
import type { Cache } from "../redis/cache.js";
import type { PubSub } from "../redis/pubsub.js";
import type { ApplyNotifications } from "./notification-log.js";
import type { ApplyRevocation } from "./revocations.js";

/** What the outbox joins. */
export interface OutboxParts {
  readonly table: OutboxTable;
  readonly cache: Pick<Cache, "invalidate" | "nowMs">;
  readonly pubsub: Pick<PubSub, "publish">;
  /** Ends in Redis what was revoked, and tells the processes that serve it. */
  readonly revoke: ApplyRevocation;
  /** Writes scores into the ledger of the shop's boards. */
  readonly score: (scores: readonly ShopScore[]) => Promise<void>;
  /** Adds to the logs of users what Postgres has, and announces it. */
  readonly notify: ApplyNotifications;
  /** Longest a write waits for its own row to be sent. */
  readonly drainMs: number;
  readonly log: Logger;
}

/** Sends outbox rows. */
export type Outbox = ReturnType<typeof createOutbox>;

/** Rows sent in one go: bounds one invalidation, and how long the relay holds its lock. */
const ROWS_AT_ONCE = 100;
/** How long a client reads past the cache when its write could not be announced: longer than the relay takes once Redis answers. */
const UNANNOUNCED_MS = 30 * SECOND;

export function createOutbox({ table, cache, pubsub, revoke, score, notify, drainMs, log }: OutboxParts) {
  /** Resolves to the number of invalidations so far, these included. */
  const send = async (rows: readonly OutboxRow[]): Promise<number> => {
    await Promise.all(rows.flatMap((row) => row.revocations ?? []).map(revoke));
    const tags = new Set(rows.flatMap((row) => row.tags));
    const seen = tags.size > 0 ? await cache.invalidate([...tags]) : 0;
    await Promise.all(
      rows.flatMap((row) => row.events).map(({ topic, version }) => pubsub.publish(topic, { id: topic.id, version, seen })),
    );
    for (const append of rows.flatMap((row) => row.notifications ?? [])) await notify(append);
    return seen;
  };

  const scoresOf = (rows: readonly OutboxRow[]): ShopScore[] => rows.flatMap((row) => row.scores ?? []);
  const forget = (row: OutboxRow): Promise<void> =>
    table.done([row.id]).catch((error: Error) => log.debug({ err: error.message }, "outbox: a sent row stays; the relay sends it again"));

  return {
    /**
     * Settles a row just committed, within `drainMs`. Resolves to the consistency token of the write: the count of invalidations
     * where they were sent, else an order to read past the cache for a while.
     */
    async settle(row: OutboxRow): Promise<Seen> {
      const scored = score(scoresOf([row])).then(
        () => true,
        (error: Error) => {
          log.warn({ err: error.message, row: row.id }, "outbox: a score could not be written down yet; the relay will");
          return false;
        },
      );
      try {
        const count = await withDeadline(send([row]), drainMs, lateError("not sent", drainMs));
        const settled = scored.then((written) => (written ? forget(row) : undefined));
        // Scores are no part of what the client reads next: late ones do not make its token an order to read past the cache.
        await withDeadline<unknown>(row.scores?.length ? settled : undefined, drainMs, () => undefined);
        return { count, bypassUntilMs: 0 };
      } catch (error) {
        log.warn({ err: (error as Error).message, row: row.id }, "outbox: a write could not be announced yet; the relay will");
        return { count: 0, bypassUntilMs: cache.nowMs() + UNANNOUNCED_MS };
      }
    },
    /** Sends everything that waits, unless another relay is at it. Rejects when Redis or Postgres cannot; nothing is lost then. */
    async sendWaiting(): Promise<void> {
      let sent: number;
      do {
        sent = await table.drain(ROWS_AT_ONCE, async (rows) => void (await Promise.all([send(rows), score(scoresOf(rows))])));
        if (sent > 0) log.info({ rows: sent }, "outbox: the relay announced writes");
      } while (sent === ROWS_AT_ONCE);
    },
  };
}
