/**
 * An outbox over a real Postgres and a real Redis, with things that fail on command; and poisoned
 * rows, to be written by hand.
 */
import { type SQL, sql } from "drizzle-orm";
import { onTestFinished } from "vitest";
import { createRevocationTable } from "../../src/db/account/revocations.js";
import type { Executor } from "../../src/db/client/database.js";
import { createOutboxTable } from "../../src/db/outbox.js";
import { createOutboxOperating } from "../../src/db/outbox-operating.js";
import type { Revocation } from "../../src/domain/account/session.js";
import { RedisUnavailable } from "../../src/domain/errors.js";
import type { Topic } from "../../src/domain/events/events.js";
import { createFailClosed } from "../../src/services/account/fail-closed.js";
import { createRevocationKind } from "../../src/services/account/outbox-kind.js";
import { createScoreKind } from "../../src/services/leaderboard/outbox-kind.js";
import { createNotificationKind } from "../../src/services/notification/outbox-kind.js";
import { createChangeKind } from "../../src/services/outbox/change-kind.js";
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

/**
 * Writes rows past all checks, one of each kind that is given. `tags` as text is a literal of
 * Postgres. Resolves to the id of the last one.
 */
export async function plant(
  database: Executor,
  { tags, events, revocations, scores, notifications }: RawRow,
): Promise<number> {
  const json = (value: unknown) => sql`${JSON.stringify(value)}::jsonb`;
  const list = (name: string, value: unknown) =>
    sql`jsonb_build_object(${name}::text, ${json(value)})`;
  const put = async (kind: string, payload: SQL, keys: readonly string[]): Promise<number> => {
    const [row] = await database.query<{ id: number }>(sql`
      INSERT INTO outbox (kind, keys, payload)
      SELECT ${kind}, ARRAY(SELECT jsonb_array_elements_text(${json(keys)})), ${payload}
      RETURNING id`);
    return row?.id ?? 0;
  };
  const ids: number[] = [];
  if (tags !== undefined || events !== undefined) {
    const tagList = typeof tags === "string" ? sql`to_jsonb(${tags}::text[])` : json(tags ?? []);
    const payload = sql`${list("events", events === undefined ? [] : events)}
      || jsonb_build_object('tags', ${tagList})`;
    ids.push(
      await put(
        "change",
        payload,
        keysOf(events, ({ topic }) => [nameOf(topic)]),
      ),
    );
  }
  if (notifications !== undefined)
    ids.push(
      await put(
        "notification",
        list("notifications", notifications),
        keysOf(notifications, ({ userId }) => [`user:${userId}`]),
      ),
    );
  if (scores !== undefined)
    ids.push(
      await put(
        "score",
        list("scores", scores),
        keysOf(scores, ({ slug }) => [`board:${slug}`]),
      ),
    );
  if (revocations !== undefined)
    ids.push(await put("revocation", list("revocations", revocations), []));
  return ids.at(-1) ?? 0;
}

/** What a writer would order items by; nothing where they are no items of ours. */
function keysOf(
  items: unknown,
  of: (item: { topic: Topic; userId: number; slug: string }) => string[],
): string[] {
  try {
    return (items as Parameters<typeof of>[0][])
      .flatMap(of)
      .filter((key) => !key.includes("undefined"));
  } catch {
    return [];
  }
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
  const failClosed = createFailClosed({
    database: database.database,
    outboxTable: table,
    revocations: createRevocationTable(database.database),
  });
  const kinds = [
    createChangeKind({
      cache: {
        async invalidate(tags) {
          for (const tag of tags) await send(tag);
          return 1;
        },
      },
      pubsub: { publish: (topic) => send(nameOf(topic)) },
      topics: ["productChanged"],
    }),
    createRevocationKind({
      async apply(revocation) {
        await send(`revoke:${"userId" in revocation ? revocation.userId : "everyone"}`);
        outside.revoked.push(revocation);
        return null;
      },
      failClosed,
    }),
    createScoreKind(async (scores) => {
      for (const { slug, operationId } of scores) await send(`${slug}/${operationId}`);
    }),
    createNotificationKind(async (append) => {
      for (const { userId, sequence } of append.type === "read" ? [append] : append.to)
        await send(`user:${userId}#${sequence}`);
    }),
  ];
  const outbox = createOutbox({
    table,
    cache: { nowMs: () => Date.now() },
    kinds,
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
