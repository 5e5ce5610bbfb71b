/**
 * An outbox over a real Postgres and a real Redis, with things that fail on command; and poisoned
 * rows, to be written by hand.
 */
import { sql } from "drizzle-orm";
import { onTestFinished } from "vitest";
import { createRevocationTable } from "../../src/db/account/revocations.js";
import type { Executor } from "../../src/db/client/database.js";
import { createOutboxTable } from "../../src/db/outbox.js";
import { createOutboxOperating } from "../../src/db/outbox-operating.js";
import type { Revocation } from "../../src/domain/account/session.js";
import { RedisUnavailable } from "../../src/domain/errors.js";
import type { Topic } from "../../src/domain/events.js";
import { createFailClosed } from "../../src/services/account/fail-closed.js";
import { createOutbox } from "../../src/services/outbox/outbox.js";
import { rememberingLog } from "../support/log.js";
import { type TestDatabase, testDatabase } from "../support/postgres.js";

/** A row as an operator's mistake, an older release or a bug would leave it. */
export interface RawRow {
  readonly tags?: readonly string[] | string;
  readonly events?: unknown;
  readonly revocations?: unknown;
  readonly scores?: unknown;
  readonly notifications?: unknown;
}

/** Writes a row past all checks. `tags` as text is a literal of Postgres. */
export async function plant(
  database: Executor,
  { tags = [], events = [], revocations = [], scores = [], notifications = [] }: RawRow,
) {
  const literal =
    typeof tags === "string" ? tags : `{${tags.map((tag) => JSON.stringify(tag)).join()}}`;
  const json = (value: unknown) => sql`${JSON.stringify(value)}::jsonb`;
  const [row] = await database.query<{ id: number }>(sql`
    INSERT INTO outbox (tags, events, revocations, scores, notifications)
    VALUES (${literal}::text[], ${json(events)}, ${json(revocations)}, ${json(scores)},
      ${json(notifications)})
    RETURNING id`);
  return row?.id ?? 0;
}

/** What was sent, in order, and what is to fail. */
export interface Outside {
  readonly sent: string[];
  readonly revoked: Revocation[];
  /** Names of what fails at present, as they appear in `sent`, with the error. */
  readonly failing: Map<string, Error>;
  /** Whether Redis answers a probe. */
  answers: boolean;
}

/** An outbox whose outside is recorded. */
export async function openOutbox({
  retryMs = 1,
  attemptsMax = 3,
  database: given,
}: {
  retryMs?: number;
  attemptsMax?: number;
  database?: TestDatabase;
} = {}) {
  const database = given ?? (await testDatabase());
  if (!given) onTestFinished(() => database.close());
  const table = createOutboxTable(database.database);
  const outside: Outside = { sent: [], revoked: [], failing: new Map(), answers: true };
  const send = async (name: string): Promise<void> => {
    const failure = outside.failing.get(name);
    if (failure) throw failure;
    outside.sent.push(name);
  };
  const { log, lines } = rememberingLog();
  const outbox = createOutbox({
    table,
    cache: {
      async invalidate(tags) {
        for (const tag of tags) await send(tag);
        return 1;
      },
      nowMs: () => Date.now(),
    },
    pubsub: { publish: (topic) => send(nameOf(topic)) },
    async revoke(revocation) {
      await send(`revoke:${"userId" in revocation ? revocation.userId : "everyone"}`);
      outside.revoked.push(revocation);
      return null;
    },
    async score(scores) {
      for (const { slug, operationId } of scores) await send(`${slug}/${operationId}`);
    },
    async notify(append) {
      for (const { userId, sequence } of append.type === "read" ? [append] : append.to)
        await send(`user:${userId}#${sequence}`);
    },
    failClosed: createFailClosed({
      database: database.database,
      outboxTable: table,
      revocations: createRevocationTable(database.database),
    }),
    async probe() {
      if (!outside.answers) throw new RedisUnavailable(new Error("away"));
    },
    drainMs: 10_000,
    retryMs,
    attemptsMax,
    log,
  });
  return {
    database: database.database,
    table,
    operating: createOutboxOperating(database.database),
    outbox,
    outside,
    lines,
  };
}

const nameOf = ({ kind, id }: Topic): string => `${kind}:${id}`;

/** An event of a product. */
export const changed = (id: number, version = 1) => ({
  topic: { kind: "productChanged", id },
  version,
});
