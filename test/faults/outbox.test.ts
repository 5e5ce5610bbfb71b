/**
 * Poisoned outbox rows. Each row of the table is written by hand, past all checks, with healthy
 * rows before and behind it. The healthy ones are sent at once and once; the poisoned one is tried
 * again, set aside with its error, and shown. Add a row to add a fault.
 */
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RedisUnavailable } from "../../src/domain/errors.js";
import { changeEntry } from "../../src/domain/events/outbox.js";
import { until } from "../support/until.js";
import { changed, openOutbox, plant, type RawRow } from "./outbox.fixture.js";

const ATTEMPTS = 3;
const delivery = (userId: number, sequence = 1) => ({ userId, sequence, id: sequence, unread: 1 });
const content = { kind: "news", title: "t", body: "b", url: null, expiresAt: null };

interface Poison {
  readonly what: string;
  readonly row: RawRow;
  /** What of it is sent all the same. */
  readonly sends?: readonly string[];
  /** What the outside refuses, where the row itself can be read. */
  readonly refuses?: string;
  readonly error: RegExp;
}

const POISONED: readonly Poison[] = [
  {
    what: "a revocation of an unknown kind",
    row: { revocations: [{ kind: "device", userId: 1 }] },
    error: /revocations\[0/,
  },
  { what: "a revocation that is a number", row: { revocations: [5] }, error: /revocations\[0/ },
  {
    what: "revocations that are no list",
    row: { revocations: { kind: "user" } },
    error: /revocations: no list/,
  },
  {
    what: "an event without a topic",
    row: { tags: ["kept"], events: [{ version: 1 }] },
    sends: ["kept"],
    error: /events\[0.topic/,
  },
  {
    what: "an event of an unknown topic",
    row: { events: [{ topic: { kind: "constructor", id: 1 }, version: 1 }] },
    error: /events/,
  },
  {
    what: "a broken event beside a whole one",
    row: { events: [null, changed(77)] },
    sends: ["productChanged:77"],
    error: /events\[0/,
  },
  { what: "events that are no list", row: { events: "none" }, error: /events: no list/ },
  { what: "events that are null", row: { events: null }, error: /events: no list/ },
  {
    what: "a tag that is null",
    row: { tags: "{NULL,kept}" },
    sends: ["kept", "catalogue"],
    error: /tags\[0/,
  },
  {
    what: "tags in two dimensions",
    row: { tags: "{{a,b},{c,d}}" },
    sends: ["catalogue"],
    error: /tags\[0/,
  },
  {
    what: "a score that is a word",
    row: { scores: [{ slug: "b", owner: "o", score: "many", operationId: "x" }] },
    error: /scores\[0.score/,
  },
  {
    what: "a score without an operation id",
    row: { scores: [{ slug: "b", owner: "o", score: 1 }] },
    error: /operationId/,
  },
  {
    what: "a score that the ledger refuses",
    row: { tags: ["kept"], scores: [{ slug: "b", owner: "o", score: 1, operationId: "x" }] },
    sends: ["kept"],
    refuses: "b/x",
    error: /no such luck/,
  },
  {
    what: "a notification without content",
    row: { notifications: [{ type: "delivered", createdAt: "", to: [delivery(1)] }] },
    error: /notifications\[0.content/,
  },
  {
    what: "a notification of four megabytes",
    row: {
      tags: ["kept"],
      notifications: [
        {
          type: "delivered",
          content: { ...content, body: "x".repeat(4_000_000) },
          createdAt: "",
          to: [],
        },
      ],
    },
    sends: ["kept"],
    error: /notifications: longer/,
  },
  {
    what: "a topic that Redis refuses",
    row: { events: [changed(66)] },
    refuses: "productChanged:66",
    error: /no such luck/,
  },
  {
    what: "a user whose revocation Redis refuses",
    row: {
      revocations: [{ kind: "user", userId: 9, userTag: "nine", epoch: 2, keptId: null }],
      events: [changed(9)],
    },
    sends: ["productChanged:9"],
    refuses: "revoke:9",
    error: /no such luck/,
  },
];

describe("a poisoned row among healthy ones", () => {
  test.each(POISONED)(
    "With $what, healthy rows are sent once and the poisoned one is set aside.",
    async (poison) => {
      const { database, table, operating, outbox, outside, lines } = await openOutbox({
        attemptsMax: ATTEMPTS,
      });
      if (poison.refuses) outside.failing.set(poison.refuses, new Error("no such luck"));
      await plant(database, { events: [changed(1)] });
      const id = await plant(database, poison.row);
      await plant(database, { tags: ["behind"], events: [changed(2)] });
      await outbox.sendWaiting();
      expect(outside.sent.toSorted()).toEqual(
        ["behind", "productChanged:1", "productChanged:2", ...(poison.sends ?? [])].toSorted(),
      );
      await until("the row to be set aside", async () => {
        await outbox.sendWaiting();
        return (await operating.state()).setAside === 1;
      });
      const [troubled] = await operating.troubled(10);
      expect(troubled).toMatchObject({
        id,
        setAside: true,
        attempts: ATTEMPTS,
        error: expect.stringMatching(poison.error),
      });
      expect(await table.hasUnsent()).toBe(false);
      expect(outside.sent.filter((name) => name === "productChanged:1")).toHaveLength(1);
      expect(
        lines.filter((line) => line.includes('"level":50') && line.includes(`"row":${id}`)),
      ).toHaveLength(1);
    },
  );

  test("A hundred rows behind a refused score are announced once.", async () => {
    const { database, outbox, outside } = await openOutbox();
    outside.failing.set("b/x", new Error("no such luck"));
    await plant(database, { scores: [{ slug: "b", owner: "o", score: 1, operationId: "x" }] });
    for (let id = 1; id <= 100; id++) await plant(database, { events: [changed(id)] });
    for (let pass = 0; pass < 3; pass++) await outbox.sendWaiting();
    expect([outside.sent.length, new Set(outside.sent).size]).toEqual([100, 100]);
  });

  test("Two hundred thousand tags invalidate the catalogue, and hold nothing up.", async () => {
    const { database, outbox, outside } = await openOutbox();
    await database.query(
      sql`INSERT INTO outbox (kind, payload)
        SELECT 'change', jsonb_build_object('tags', jsonb_agg('tag:' || n), 'events', '[]'::jsonb)
        FROM generate_series(1, 200000) n`,
    );
    await plant(database, { events: [changed(1)] });
    await outbox.sendWaiting();
    expect(outside.sent.toSorted()).toEqual(["catalogue", "productChanged:1"]);
  });

  test("Rows that are long only once unpacked are read by few, and hold nothing up.", async () => {
    const { database, table, outbox, outside } = await openOutbox();
    const [long, rows] = [20_000_000, 12];
    for (const kind of ["notification", "revocation"]) {
      await database.transaction(
        (tx) =>
          tx.query(sql`
            INSERT INTO outbox (kind, payload)
            SELECT ${kind},
              jsonb_build_object(${`${kind}s`}::text, jsonb_build_array(repeat('a', ${long}::int)))
            FROM generate_series(1, ${rows / 2})`),
        { patient: true },
      );
    }
    const unpacked = await table.read(Array.from({ length: rows }, (_, index) => index + 1));
    expect(unpacked.length).toBeLessThan(rows / 2);
    await plant(database, { events: [changed(1)] });
    await outbox.sendWaiting();
    expect(outside.sent).toEqual(["productChanged:1"]);
  });

  test("Whatever JSON a row holds, the rows around it are sent.", async () => {
    const { database, operating, outbox, outside } = await openOutbox({ attemptsMax: 1 });
    const anything = fc.jsonValue({ maxDepth: 3 });
    const row = fc.record({
      events: anything,
      revocations: anything,
      scores: anything,
      notifications: anything,
    });
    const poisons = fc.sample(row, { numRuns: 60, seed: 9 });
    for (const [index, poison] of poisons.entries()) {
      await plant(database, JSON.parse(JSON.stringify(poison).replaceAll("\\u0000", "")) as RawRow);
      await plant(database, { events: [changed(1_000 + index)] });
    }
    await outbox.sendWaiting();
    const healthy = outside.sent.filter((name) => /^productChanged:1\d\d\d$/.test(name));
    expect(new Set(healthy).size).toBe(poisons.length);
    expect((await operating.state()).waiting).toBe(0);
  });
});

test("A row of a kind without a handler is set aside with that reason, and holds up none.", async () => {
  const { database, operating, outbox, outside } = await openOutbox({ attemptsMax: 1 });
  await database.query(sql`INSERT INTO outbox (kind, payload) VALUES ('parcel', '{}')`);
  await plant(database, { events: [changed(1)] });
  await outbox.sendWaiting();
  expect(outside.sent).toEqual(["productChanged:1"]);
  expect(await operating.troubled(10)).toMatchObject([
    { kind: "parcel", setAside: true, error: "there is no handler of the kind parcel" },
  ]);
});

describe("the order of rows", () => {
  test("A row waits behind an earlier one of its topic, user or board, and no other.", async () => {
    const { database, outbox, outside } = await openOutbox({ attemptsMax: 100 });
    const read = (userId: number, sequence: number) => ({
      type: "read",
      userId,
      sequence,
      ids: [],
      upTo: 1,
      unread: 0,
    });
    const score = (slug: string, operationId: string) => ({
      slug,
      owner: "o",
      score: 1,
      operationId,
    });
    for (const name of ["productChanged:1", "user:1#1", "b/1"])
      outside.failing.set(name, new Error("not yet"));
    await plant(database, { events: [changed(1)] });
    await plant(database, { notifications: [read(1, 1)] });
    await plant(database, { scores: [score("b", "1")] });
    await plant(database, { tags: ["waits"], events: [changed(1, 2)] });
    await plant(database, { notifications: [read(1, 2)] });
    await plant(database, { scores: [score("b", "2")] });
    await plant(database, {
      events: [changed(2)],
      notifications: [read(2, 1)],
      scores: [score("c", "1")],
    });
    await outbox.sendWaiting();
    await outbox.sendWaiting();
    expect(outside.sent.toSorted()).toEqual(["c/1", "productChanged:2", "user:2#1"]);
    outside.failing.clear();
    await until("the outbox to be empty", async () => {
      await outbox.sendWaiting();
      return (
        outside.sent.includes("waits") &&
        outside.sent.includes("b/2") &&
        outside.sent.includes("user:1#2")
      );
    });
    const at = (name: string) => outside.sent.indexOf(name);
    expect([
      at("b/1") < at("b/2"),
      at("user:1#1") < at("user:1#2"),
      at("productChanged:1") < at("waits"),
    ]).toEqual([true, true, true]);
  });

  test("A row behind a poisoned one is sent as soon as that one is set aside.", async () => {
    const { database, outbox, outside, operating } = await openOutbox({ attemptsMax: 2 });
    outside.failing.set("user:1#1", new Error("never"));
    const read = (sequence: number) => ({
      type: "read",
      userId: 1,
      sequence,
      ids: [],
      upTo: 1,
      unread: 0,
    });
    await plant(database, { notifications: [read(1)] });
    await plant(database, { notifications: [read(2)] });
    await outbox.sendWaiting();
    expect(outside.sent).toEqual([]);
    await until("the first to be set aside", async () => {
      await outbox.sendWaiting();
      return (await operating.state()).setAside === 1;
    });
    await outbox.sendWaiting();
    expect(outside.sent).toEqual(["user:1#2"]);
  });
});

test("Rows of one write that share a key are dispatched in order, others at once.", async () => {
  const { database, table, outbox, outside } = await openOutbox();
  const entry = (id: number, tag: string) =>
    changeEntry({ tags: [tag], events: [{ topic: { kind: "productChanged", id }, version: 1 }] });
  const rows = await database.transaction((tx) =>
    table.append(tx, [entry(1, "a"), entry(1, "b"), entry(2, "c")]),
  );
  expect(await outbox.dispatch(rows)).toEqual({ count: 1, bypassUntilMs: 0 });
  const ofOne = outside.sent.filter((name) => ["a", "b", "productChanged:1"].includes(name));
  expect(ofOne).toEqual(["a", "productChanged:1", "b", "productChanged:1"]);
  expect(outside.sent.indexOf("c")).toBeLessThan(outside.sent.indexOf("b"));
  await until("the rows to be forgotten", async () => !(await table.hasUnsent()));
});

describe("an outage", () => {
  test("A Redis that does not answer uses up no attempt, however long.", async () => {
    const { database, operating, outbox, outside } = await openOutbox({ attemptsMax: 1 });
    outside.failing.set("productChanged:1", new RedisUnavailable(new Error("no reply")));
    outside.answers = false;
    await plant(database, { events: [changed(1)] });
    for (let pass = 0; pass < 5; pass++)
      await expect(outbox.sendWaiting()).rejects.toBeInstanceOf(RedisUnavailable);
    expect(await operating.state()).toMatchObject({ waiting: 1, setAside: 0 });
    outside.failing.clear();
    await outbox.sendWaiting();
    expect([outside.sent, await operating.state()]).toMatchObject([
      ["productChanged:1"],
      { waiting: 0 },
    ]);
  });

  test("A row that times out alone, while Redis answers, is set aside.", async () => {
    const { database, operating, outbox, outside } = await openOutbox({ attemptsMax: 1 });
    outside.failing.set("productChanged:1", new RedisUnavailable(new Error("no reply")));
    await plant(database, { events: [changed(1)] });
    await outbox.sendWaiting();
    expect(await operating.state()).toMatchObject({ waiting: 0, setAside: 1 });
  });
});

describe("a revocation that cannot be read", () => {
  test("An unreadable revocation ends all sessions of its user, once, and no others.", async () => {
    const { database, outbox, outside } = await openOutbox({ attemptsMax: 5 });
    await database.query(sql`INSERT INTO users (id, tag, email, name, password_hash, role) VALUES
      (1, 'one', 'one@test.example', 'One', 'x', 'CUSTOMER'),
      (2, 'two', 'two@test.example', 'Two', 'x', 'CUSTOMER')`);
    await plant(database, { revocations: [{ kind: "device", userId: 1 }] });
    for (let pass = 0; pass < 4; pass++) await outbox.sendWaiting();
    expect(outside.revoked).toEqual([
      { kind: "user", userId: 1, userTag: "one", epoch: 2, keptId: null },
    ]);
    expect(await database.query(sql`SELECT id, session_epoch FROM users ORDER BY id`)).toEqual([
      { id: 1, session_epoch: 2 },
      { id: 2, session_epoch: 1 },
    ]);
  });
});
