/**
 * What a committed write owes the outside, and how it is paid (send.ts). A write settles its
 * own row before it answers; the relay (jobs/outbox-relay.ts, relay.ts) is the net for what
 * a crash or an outage left behind.
 */
import type { Logger } from "pino";
import type { OutboxTable, RetryOptions } from "../../db/outbox.js";
import type { OutboxRow } from "../../domain/events.js";
import type { Seen } from "../../domain/seen.js";
import { lateError, withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import type { Cache } from "../../redis/cache/cache.js";
import type { FailClosed } from "../account/fail-closed.js";
import { failuresOf, mostTelling, wordsOf } from "../failures.js";
import { createRelayPass } from "./relay.js";
import { createAnnounce, type SendParts } from "./send.js";

/** What the outbox joins. */
export interface OutboxParts extends SendParts, RetryOptions {
  readonly table: OutboxTable;
  readonly cache: Pick<Cache, "invalidate" | "nowMs">;
  /** Ends the sessions of users whose revocation cannot be read. */
  readonly failClosed: FailClosed;
  /** Rejects while Redis cannot be used. */
  readonly probe: () => Promise<unknown>;
  /** Longest a write waits for its own row to be sent. */
  readonly drainMs: number;
  readonly log: Logger;
}

/** Sends outbox rows. */
export type Outbox = ReturnType<typeof createOutbox>;

/**
 * How long a client reads past the cache when its write could not be announced: longer than the
 * relay takes once Redis answers.
 */
const UNANNOUNCED_MS = 30 * SECOND;

export function createOutbox(parts: OutboxParts) {
  const { table, cache, score, drainMs, log } = parts;
  const announce = createAnnounce(parts);

  const send = async (row: OutboxRow): Promise<void> => {
    const failures = await failuresOf([announce(row), score(row.scores ?? [])]);
    if (failures.length > 0) throw mostTelling(failures);
  };
  const pass = createRelayPass({ ...parts, send });

  const forget = (row: OutboxRow): Promise<void> =>
    table
      .done([row.id])
      .catch((error: Error) =>
        log.debug({ err: error.message }, "outbox: a sent row stays; the relay sends it again"),
      );

  return {
    /**
     * Settles a row just committed, within `drainMs`. Resolves to the consistency token of the
     * write: the count of invalidations where they were sent, else an order to read past the cache
     * for a while.
     */
    async settle(row: OutboxRow): Promise<Seen> {
      const scored = score(row.scores ?? []).then(
        () => true,
        (error: unknown) => {
          log.warn(
            { err: wordsOf(error), row: row.id },
            "outbox: a score could not be written down yet; the relay will",
          );
          return false;
        },
      );
      try {
        const count = await withDeadline(announce(row), drainMs, lateError("not sent", drainMs));
        const settled = scored.then((written) => (written ? forget(row) : undefined));
        // Scores are no part of what the client reads next: late ones do not make its token an
        // order to read past the cache.
        await withDeadline<unknown>(
          row.scores?.length ? settled : undefined,
          drainMs,
          () => undefined,
        );
        return { count, bypassUntilMs: 0 };
      } catch (error) {
        log.warn(
          { err: wordsOf(error), row: row.id },
          "outbox: a write could not be announced yet; the relay will",
        );
        return { count: 0, bypassUntilMs: cache.nowMs() + UNANNOUNCED_MS };
      }
    },
    /**
     * Sends what waits and is due, unless another relay is at work. Rejects while Redis or Postgres
     * does not answer; nothing is lost then. A row that fails otherwise is noted and logged.
     */
    async sendWaiting(): Promise<void> {
      const sent = (await table.alone(pass)) ?? 0;
      if (sent > 0) log.info({ rows: sent }, "outbox: the relay announced writes");
    },
  };
}
