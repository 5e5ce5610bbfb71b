/** Inboxes, their logs and broadcasts, on PostgreSQL and on PGlite alike. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createUserTable } from "../../../src/db/account/users.js";
import type { Database, Tx } from "../../../src/db/client/database.js";
import type { BroadcastStep } from "../../../src/db/notification/broadcast-steps.js";
import { createBroadcastTable } from "../../../src/db/notification/broadcasts.js";
import { createNotificationLogTable } from "../../../src/db/notification/event-log.js";
import { createNotificationTable } from "../../../src/db/notification/inbox.js";
import type { NotificationContent } from "../../../src/domain/notification.js";
import { until } from "../../support/until.js";
import { DATABASES, emptyDatabase } from "../sample.js";

const content = (title: string, expiresAt: string | null = null): NotificationContent => ({
  kind: "test",
  title,
  body: "",
  url: null,
  expiresAt,
});
const RETRY = { retryMs: 0, attemptsMax: 3 };
const FOREVER = { limit: 100, after: null };

/** Makes three users; their ids, the lowest first. */
async function threeUsers(database: Database): Promise<number[]> {
  const made = Array.from({ length: 3 }, (_, at) => `${performance.now()}-${at}`).map((tag) =>
    createUserTable(database).create(database, {
      tag,
      email: `${tag}@test.example`,
      name: "Tess",
      role: "CUSTOMER",
      passwordHash: "x",
    }),
  );
  return (await Promise.all(made)).map((user) => user!.id).sort((a, b) => a - b);
}

const send = (database: Database, to: readonly number[], what: NotificationContent) =>
  database.transaction(async (tx) => {
    const { id } = await createNotificationTable(database).write(tx, what);
    return createNotificationLogTable(database).deliver(tx, id, to);
  });

const expire = (database: Database, title: string) =>
  database.query(sql`
    WITH past AS (SELECT statement_timestamp() - interval '1 hour' AS at),
      c AS (UPDATE notification_contents SET expires_at = past.at FROM past
        WHERE title = ${title} RETURNING id)
    UPDATE notifications n SET expires_at = past.at FROM c, past WHERE n.content_id = c.id`);

const mark = (
  database: Database,
  userId: number,
  work: (tx: Tx) => Promise<{ ids: readonly number[]; upTo: number | null; count: number }>,
) =>
  database.transaction(async (tx) => {
    const logs = createNotificationLogTable(database);
    await logs.hold(tx, userId);
    const marked = await work(tx);
    return logs.addRead(tx, userId, marked);
  });

describe.each(DATABASES)("notifications on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;
  let users: number[];
  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
  });
  afterAll(() => close?.());
  beforeEach(async () => {
    users = await threeUsers(database);
  });

  const inboxes = () => createNotificationTable(database);
  const logs = () => createNotificationLogTable(database);

  test("They are numbered per user, with the unread count then, and read in order.", async () => {
    const [a = 0, b = 0] = users;
    await send(database, [a], content("one"));
    expect(await send(database, [b, a], content("two"))).toMatchObject([
      { userId: a, sequence: 2, unread: 2 },
      { userId: b, sequence: 1, unread: 1 },
    ]);
    const first = await logs().read(a, 0, 10);
    const [one] = first.entries;
    const id = one?.event.type === "delivered" ? one.event.notification.id : 0;
    await mark(database, a, async (tx) => ({
      ids: await inboxes().markRead(tx, a, [id]),
      upTo: null,
      count: 1,
    }));
    const { last, entries } = await logs().read(a, 0, 10);
    expect({ last, sequences: entries.map(({ sequence }) => sequence) }).toEqual({
      last: 3,
      sequences: [1, 2, 3],
    });
    expect(entries.map(({ event }) => event.unread)).toEqual([1, 2, 1]);
    expect(entries[2]?.event).toEqual({ type: "read", ids: [id], upTo: null, unread: 1 });
    expect(entries[0]?.event).toMatchObject({
      type: "delivered",
      notification: { title: "one", readAt: null },
    });
    expect(await logs().read(a, 1, 1)).toMatchObject({ last: 3, entries: [{ sequence: 2 }] });
    expect(await logs().read(a, 3, 10)).toEqual({ last: 3, entries: [] });
    expect(await logs().read(users[2] ?? 0, 0, 10)).toEqual({ last: 0, entries: [] });
  });

  test("Notifications are listed newest first, page by page, all or unread.", async () => {
    const [a = 0] = users;
    for (const title of ["1", "2", "3", "4"]) await send(database, [a], content(title));
    const all = { userId: a, unreadOnly: false };
    const page = await inboxes().page(all, { limit: 3, after: null });
    expect([page.rows.map(({ title }) => title), page.hasNextPage]).toEqual([
      ["4", "3", "2"],
      true,
    ]);
    const rest = await inboxes().page(all, { limit: 3, after: { value: 2, id: 2 } });
    expect([rest.rows.map(({ title }) => title), rest.hasNextPage]).toEqual([["1"], false]);
    const { count, newest } = await database.transaction((tx) => inboxes().markReadTo(tx, a, 3));
    expect({ count, newest }).toEqual({ count: 3, newest: 3 });
    const unread = { userId: a, unreadOnly: true };
    expect((await inboxes().page(unread, FOREVER)).rows.map(({ title }) => title)).toEqual(["4"]);
    expect([await inboxes().count(all), await inboxes().count(unread)]).toEqual([4, 1]);
  });

  test("Expired ones appear nowhere, pruned or not, and the count is always right.", async () => {
    const [a = 0] = users;
    const soon = new Date(Date.now() + 60_000).toISOString();
    const gone = `gone ${a}`;
    await send(database, [a], content(gone, soon));
    await send(database, [a], content("stays"));
    expect(await logs().unread(a)).toBe(2);
    await expire(database, gone);
    const look = async () => ({
      unread: await logs().unread(a),
      listed: (await inboxes().page({ userId: a, unreadOnly: false }, FOREVER)).rows.map(
        ({ title }) => title,
      ),
      read: (await logs().read(a, 0, 10)).entries.map(({ sequence }) => sequence),
      last: (await logs().read(a, 0, 10)).last,
    });
    const seen = { unread: 1, listed: ["stays"], read: [2], last: 2 };
    expect(await look()).toEqual(seen);
    expect(await send(database, [a], content("later"))).toMatchObject([{ unread: 2 }]);
    expect(await inboxes().prune()).toBeGreaterThanOrEqual(1);
    expect(await look()).toEqual({
      unread: 2,
      listed: ["later", "stays"],
      read: [2, 3],
      last: 3,
    });
    const kept = await database.query(sql`SELECT FROM notification_contents WHERE title = ${gone}`);
    expect(kept).toEqual([]);
    expect(await inboxes().prune()).toBe(0);
  });
});

describe.each(DATABASES)("notifications to everyone on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;
  let users: number[];
  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    users = await threeUsers(database);
  });
  afterAll(() => close?.());

  const inboxes = () => createNotificationTable(database);

  test("They are sent in steps, once per user, by one worker at a time.", async () => {
    const broadcasts = createBroadcastTable();
    const begun = await database.transaction(async (tx) =>
      broadcasts.begin(tx, (await inboxes().write(tx, content("all"))).id),
    );
    const stepped: number[] = [];
    const step = () =>
      database.transaction(async (tx) => {
        const next = await broadcasts.next(tx, 2);
        if (!next) return false;
        stepped.push(...next.userIds);
        await broadcasts.advance(tx, next, RETRY);
        return true;
      });
    while (await step());
    expect(stepped).toEqual([...new Set(stepped)].sort((a, b) => a - b));
    expect(stepped).toHaveLength(begun);
    expect(stepped).toEqual(expect.arrayContaining(users));
    const soon = new Date(Date.now() + 60_000).toISOString();
    const title = `too late ${begun}`;
    await database.transaction(async (tx) =>
      broadcasts.begin(tx, (await inboxes().write(tx, content(title, soon))).id),
    );
    await expire(database, title);
    stepped.length = 0;
    while (await step());
    expect(stepped).toEqual([]);
  });

  test("They are retried for one user, unless another worker was there.", async () => {
    const broadcasts = createBroadcastTable();
    const fail = (step: BroadcastStep) =>
      database.transaction((tx) => broadcasts.failed(tx, step, "no such luck", RETRY));
    await database.transaction(async (tx) =>
      broadcasts.begin(tx, (await inboxes().write(tx, content("all"))).id),
    );
    const parts = () =>
      database.query(
        sql`SELECT done_to, last_user, attempts FROM notification_broadcast_parts ORDER BY id`,
      );
    const first = await database.transaction((tx) => broadcasts.next(tx, 1));
    if (!first) throw new Error("There is no step.");
    const [user = 0] = first.userIds;
    await fail(first);
    const failed = [
      { done_to: user, attempts: 1 },
      { done_to: user - 1, last_user: user, attempts: 1 },
    ];
    expect(await parts()).toMatchObject(failed);
    await fail(first);
    await database.transaction((tx) => broadcasts.pause(tx, first, "a lock", RETRY));
    expect(await parts()).toMatchObject(failed);
    const step = async (tx: Tx) => {
      const next = await broadcasts.next(tx, 500);
      if (next) await broadcasts.advance(tx, next, RETRY);
    };
    await until("both parts to be done", async () => {
      await database.transaction(step);
      return (await parts()).length === 0;
    });
    expect(await fail(first)).toEqual({ setAside: false });
    expect(await parts()).toEqual([]);
  });

  test("Expired ones are done, even where users or the last step failed.", async () => {
    const broadcasts = createBroadcastTable();
    const soon = new Date(Date.now() + 60_000).toISOString();
    await database.transaction(async (tx) =>
      broadcasts.begin(tx, (await inboxes().write(tx, content("late", soon))).id),
    );
    await database.query(
      sql`UPDATE notification_broadcast_parts SET set_aside_at = now(), attempts = 7`,
    );
    expect(await database.transaction((tx) => broadcasts.next(tx, 500))).toBeNull();
    await expire(database, "late");
    const last = await database.transaction((tx) => broadcasts.next(tx, 500));
    expect(last).toMatchObject({ userIds: [], held: [] });
    await database.transaction((tx) =>
      broadcasts.failed(tx, last as BroadcastStep, "no such luck", {
        retryMs: 60_000,
        attemptsMax: 3,
      }),
    );
    expect(await database.transaction((tx) => broadcasts.next(tx, 500))).toBeNull();
    expect(await database.query(sql`SELECT attempts FROM notification_broadcast_parts`)).toEqual([
      { attempts: 8 },
    ]);
    await database.transaction((tx) => broadcasts.advance(tx, last as BroadcastStep, RETRY));
  });
});
