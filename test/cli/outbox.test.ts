/**
 * `npm run outbox`, as an operator runs it: what could not be sent is shown, sent again, or
 * dropped.
 */
import { sql } from "drizzle-orm";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { changed, openOutbox, plant } from "../faults/outbox.fixture.js";
import { ensureBuilt } from "../support/node-process.js";
import { testDatabase } from "../support/postgres.js";
import { run } from "./run-command.js";

beforeAll(ensureBuilt);

it("A row that was set aside is listed with its error, sent again, dropped by id.", async () => {
  const database = await testDatabase();
  onTestFinished(() => database.close());
  const { outbox, outside, operating } = await openOutbox({ attemptsMax: 1, database });
  outside.failing.set("productChanged:7", new Error("no such luck"));
  const outboxCommand = (...args: string[]) => run("outbox", args, { DATABASE_URL: database.url });
  expect(await outboxCommand("list")).toMatchObject({
    stderr: "",
    code: 0,
    stdout: expect.stringContaining("0 rows wait"),
  });
  const id = await plant(database.database, { tags: ["kept"], events: [changed(7)] });
  expect((await outboxCommand("drop", String(id))).stdout).toContain("is not set aside");
  await outbox.sendWaiting();
  const { code, stdout } = await outboxCommand("list");
  expect([code, stdout]).toEqual([0, expect.stringContaining("1 are set aside")]);
  for (const word of [
    `row ${id}: set aside`,
    "1 attempts",
    "tags (1), events (1)",
    "productChanged:7",
    "no such luck",
  ])
    expect(stdout).toContain(word);
  expect((await outboxCommand("retry", "--all")).stdout).toContain("1 row will be sent again");
  const some = await outboxCommand("retry", String(id), "99999");
  expect([some.code, some.stdout]).toEqual([
    1,
    expect.stringContaining("There is no row 99999: it was sent or dropped."),
  ]);
  expect(await operating.state()).toMatchObject({ waiting: 1, setAside: 0 });
  await outbox.sendWaiting();
  const dropped = await outboxCommand("drop", String(id));
  expect([dropped.code, dropped.stdout]).toEqual([
    0,
    expect.stringContaining("Lost with it: cached values stay old"),
  ]);
  expect(await operating.state()).toMatchObject({ waiting: 0, setAside: 0 });
});

it("Users whom a notification to everyone missed are listed, sent it, and dropped.", async () => {
  const database = await testDatabase();
  onTestFinished(() => database.close());
  const outboxCommand = (...args: string[]) => run("outbox", args, { DATABASE_URL: database.url });
  await database.database.query(
    sql`INSERT INTO notification_contents (id, kind, title, body) VALUES (3, 'news', 'Sale', '')`,
  );
  await database.database.query(sql`
    INSERT INTO notification_broadcast_parts
      (content_id, done_to, last_user, attempts, last_error, set_aside_at)
    VALUES (3, 6, 7, 10, 'no such luck', now()), (3, 9, 20, 1, 'no luck yet', NULL),
      (3, 7, 9, 0, NULL, NULL)`);
  const { code, stdout } = await outboxCommand("list");
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining(
      "1 notifications to everyone are on their way; 1 parts of some are set aside.",
    ),
  ]);
  for (const word of [
    "row b1: set aside",
    "10 attempts",
    '"Sale"',
    "for user 7",
    "no such luck",
    "row b2: tried again",
    "users 10 to 20",
  ])
    expect(stdout).toContain(word);
  expect(stdout).not.toContain("b3");
  expect((await outboxCommand("drop", "b2")).stdout).toContain("Row b2 is not set aside");
  const some = await outboxCommand("retry", "b1", "b99");
  expect([some.code, some.stdout]).toEqual([
    1,
    expect.stringContaining("1 row will be sent again.\nThere is no row b99"),
  ]);
  expect((await outboxCommand("drop", "b1")).code).toBe(1);
  await database.database.query(
    sql`UPDATE notification_broadcast_parts SET set_aside_at = now() WHERE id = 1`,
  );
  const dropped = await outboxCommand("drop", "b1");
  expect([dropped.code, dropped.stdout]).toEqual([
    0,
    expect.stringContaining("Lost with it: these users never get this notification."),
  ]);
  expect((await outboxCommand("drop", "b1")).stdout).toContain("There is no row b1.");
});

it.each([
  [[]],
  [["retry"]],
  [["retry", "--all", "5"]],
  [["drop"]],
  [["drop", "1", "2"]],
  [["drop", "--all"]],
  [["list", "x"]],
  [["drop", "c1"]],
  [["drop", "b0"]],
])("Arguments %j are answered with the usage.", async (args) => {
  const ended = await run("outbox", args, {});
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining("Usage: npm run outbox")]);
});
