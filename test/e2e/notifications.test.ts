/** Notifications on two real API processes and a worker, on one Redis and one PostgreSQL. */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNotificationLogTable } from "../../src/db/notification/event-log.js";
import { createNotificationTable } from "../../src/db/notification/inbox.js";
import { createOutboxTable } from "../../src/db/outbox.js";
import { decodeIdOf } from "../../src/domain/ids.js";
import { notificationEntry } from "../../src/services/notification/outbox-kind.js";
import { type SignedIn, signIn, signUp } from "../support/accounts.js";
import { type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import { post } from "../support/graphql.js";
import { follow, inbox, type LogEvent, markRead, send } from "../support/notifications.js";
import type { TestDatabase } from "../support/postgres.js";
import { type PrivateRedis, startRedis } from "../support/redis-topology.js";
import { until } from "../support/until.js";

let database: TestDatabase;
let redis: PrivateRedis;
let apis: AppProcess[];
let worker: AppProcess;
let env: Record<string, string>;

beforeAll(async () => {
  [database, redis] = await Promise.all([seededDatabase(10), startRedis()]);
  env = { DATABASE_URL: database.url, REDIS_URL: redis.url, OUTBOX_POLL_MS: "100" };
  apis = await Promise.all([1, 2].map(() => startProcess(["dist/main.js", "--api"], env)));
  worker = await startProcess(["dist/worker.js"], env);
});
afterAll(async () => {
  await Promise.all([...apis, worker].map((process) => process?.end()));
  await redis?.stop();
  await database?.close();
});

const one = (): AppProcess => apis[0]!;
const other = (): AppProcess => apis[1]!;
const userKey = ({ id }: SignedIn): number => decodeIdOf("User", id) ?? 0;
const titles = (events: readonly { notification: { title: string } }[]): string[] =>
  events.map(({ notification }) => notification.title);
const sendAll = async (user: SignedIn, names: readonly string[], by = one): Promise<void> => {
  for (const title of names)
    expect(await send(by().url, { userIds: [user.id], title })).toEqual({
      recipients: 1,
      delivered: true,
      errors: [],
    });
};

describe("a notification", () => {
  it("It is in the inbox, counted, and told to every device, once and in order.", async () => {
    const user = await signUp(one().url);
    const devices = await Promise.all([
      follow(one().wsUrl, user.token, ""),
      follow(other().wsUrl, user.token, ""),
      follow(other().wsUrl, user.token, ""),
    ]);
    await sendAll(user, ["a", "b"]);
    await sendAll(user, ["c"], other);
    for (const device of devices) {
      const events = await device.take(3);
      expect(titles(events)).toEqual(["a", "b", "c"]);
      expect(events.map(({ unreadCount }) => unreadCount)).toEqual([1, 2, 3]);
    }
    const { unreadCount, notifications } = await inbox(one().url, user.token);
    expect({ unreadCount, total: notifications.totalCount }).toEqual({ unreadCount: 3, total: 3 });
    expect(notifications.edges.map(({ node }) => node.title)).toEqual(["c", "b", "a"]);
  });

  it("One read by ids or up to a cursor is read on every device, as the log tells.", async () => {
    const user = await signUp(one().url);
    const [here, there] = await Promise.all([
      follow(one().wsUrl, user.token, ""),
      follow(other().wsUrl, user.token, ""),
    ]);
    await sendAll(user, ["a", "b", "c", "d"]);
    const sent = await here.take(4);
    await there.take(4);
    const [, b, c] = sent;
    expect(await markRead(other().url, user.token, { ids: [b!.notification.id] })).toEqual({
      marked: 1,
      unreadCount: 3,
      errors: [],
    });
    expect(await markRead(other().url, user.token, { upTo: c!.cursor })).toEqual({
      marked: 2,
      unreadCount: 1,
      errors: [],
    });
    expect(await markRead(one().url, user.token, { upTo: c!.cursor })).toEqual({
      marked: 0,
      unreadCount: 1,
      errors: [],
    });
    for (const device of [here, there]) {
      expect(await device.take(2)).toMatchObject([
        { __typename: "NotificationsRead", ids: [b!.notification.id], upTo: null, unreadCount: 3 },
        { __typename: "NotificationsRead", ids: [], upTo: c!.cursor, unreadCount: 1 },
      ]);
    }
    const { notifications } = await inbox(one().url, user.token, { unreadOnly: true });
    expect(notifications.edges.map(({ node }) => node.title)).toEqual(["d"]);
  });

  it("The log continues elsewhere after a stored cursor, or a cursor of the inbox.", async () => {
    const user = await signUp(one().url);
    await sendAll(user, ["a", "b", "c"]);
    const first = await (await follow(one().wsUrl, user.token, "")).next();
    expect(titles(await (await follow(other().wsUrl, user.token, first.cursor)).take(2))).toEqual([
      "b",
      "c",
    ]);
    const { notifications } = await inbox(one().url, user.token);
    expect(notifications.edges.at(-1)?.cursor).toBe(first.cursor);
    const next = await follow(other().wsUrl, user.token, notifications.edges[0]!.cursor);
    await sendAll(user, ["d"]);
    expect((await next.next()).notification.title).toBe("d");
  });

  it("A subscription without a cursor begins with what is sent from now on.", async () => {
    const user = await signUp(one().url);
    await sendAll(user, ["before"]);
    const device = await follow(one().wsUrl, user.token, null);
    // Nothing tells a client that its subscription stands, so it is asked for until something
    // arrives.
    let sent = 0;
    const arrived = device.next();
    await until("an event", async () => {
      await sendAll(user, [`after ${sent++}`]);
      return Promise.race([arrived, Promise.resolve(null)]);
    });
    expect((await arrived).notification.title).toMatch(/^after \d+$/);
  });
});

describe("a cursor that is not of this log", () => {
  it("A foreign, damaged or future cursor is told CURSOR_INVALID; the log goes on.", async () => {
    const [mine, theirs] = [await signUp(one().url), await signUp(one().url)];
    await sendAll(theirs, ["theirs"]);
    await sendAll(mine, ["old"]);
    const { cursor } = await (await follow(one().wsUrl, theirs.token, "")).next();
    for (const after of [
      cursor,
      "nonsense",
      "x".repeat(5_000),
      Buffer.from("deadbeef[1,1]").toString("base64url"),
    ]) {
      const device = await follow(one().wsUrl, mine.token, after);
      const gap = await device.next();
      expect(gap).toMatchObject({
        __typename: "StreamGap",
        reason: "CURSOR_INVALID",
        resumeFrom: expect.any(String),
      });
      await sendAll(mine, ["new"]);
      expect((await device.next()).notification.title).toBe("new");
      expect(
        (await (await follow(other().wsUrl, mine.token, gap.resumeFrom)).next()).notification.title,
      ).toBe("new");
    }
  });
});

describe("what belongs to somebody else", () => {
  it("A user cannot find, mark or follow the notifications of another.", async () => {
    const [mine, theirs] = [await signUp(one().url), await signUp(one().url)];
    await sendAll(theirs, ["secret"]);
    const [edge] = (await inbox(one().url, theirs.token)).notifications.edges;
    const NODE = "query N($id: ID!) { node(id: $id) { id ... on Notification { title } } }";
    const asked = async (token?: string) =>
      (await post(one().url, NODE, { id: edge!.node.id }, token ? { token } : {})).data.node;
    expect(await asked(theirs.token)).toEqual({ id: edge!.node.id, title: "secret" });
    for (const token of [mine.token, undefined]) expect(await asked(token)).toBeNull();
    expect(
      await markRead(one().url, mine.token, { ids: [edge!.node.id, "Tm90aWZpY2F0aW9uOjk5OTk5OQ"] }),
    ).toEqual({
      marked: 0,
      unreadCount: 0,
      errors: [],
    });
    expect(await markRead(one().url, mine.token, { upTo: edge!.cursor })).toMatchObject({
      errors: [{ code: "INVALID", field: ["upTo"] }],
    });
    expect((await inbox(one().url, theirs.token)).unreadCount).toBe(1);
  });

  it("Without a session every operation on notifications is refused.", async () => {
    for (const token of [undefined, "not-a-token"]) {
      const device = await follow(one().wsUrl, token ?? "", null).catch((error: Error) => error);
      const refused =
        device instanceof Error ? device : await device.next().catch((error: Error) => error);
      expect(String(refused)).toMatch(/UNAUTHENTICATED|closed with 44/);
    }
    const { errors } = await post(
      one().url,
      "mutation { markNotificationsRead(ids: []) { marked } }",
    );
    expect(errors?.[0]?.extensions.code).toBe("UNAUTHENTICATED");
    const customer = await signUp(one().url);
    expect(await send(one().url, { userIds: [customer.id] }, customer.token)).toMatchObject([
      { extensions: { code: "FORBIDDEN" } },
    ]);
  });

  it("A subscription to notifications ends with its session, on every process.", async () => {
    const user = await signUp(one().url);
    const token = await signIn(one().url, user);
    const devices = await Promise.all([
      follow(one().wsUrl, token, ""),
      follow(other().wsUrl, token, ""),
    ]);
    await sendAll(user, ["a"]);
    for (const device of devices) await device.next();
    await post(one().url, "mutation { signOut { errors { code } } }", {}, { token });
    await sendAll(user, ["b"]);
    for (const device of devices) {
      await expect(device.next()).rejects.toThrow("closed with 4401");
    }
  });
});

describe("sending", () => {
  const TOO_MANY = Array(1_001).fill("VXNlcjox");

  it("A repeated operation sends once, and with another input it is refused.", async () => {
    const user = await signUp(one().url);
    const input = { userIds: [user.id, user.id], title: "once", operationId: randomUUID() };
    expect(
      await Promise.all([send(one().url, input), send(other().url, input), send(one().url, input)]),
    ).toEqual(Array(3).fill({ recipients: 1, delivered: true, errors: [] }));
    expect((await inbox(one().url, user.token)).notifications.totalCount).toBe(1);
    expect(await send(one().url, { ...input, title: "twice" })).toMatchObject({
      errors: [{ code: "IDEMPOTENCY_MISMATCH" }],
    });
  });

  it.each([
    [{ userIds: [] }, "OUT_OF_RANGE", ["input", "userIds"]],
    [{ userIds: TOO_MANY }, "OUT_OF_RANGE", ["input", "userIds"]],
    [{ userIds: ["UHJvZHVjdDox"] }, "INVALID", ["input", "userIds"]],
    [{ userIds: ["VXNlcjo5OTk5OTk"] }, "NOT_FOUND", ["input", "userIds"]],
    [{}, "REQUIRED", ["input"]],
    [{ everyone: false }, "REQUIRED", ["input"]],
    [{ everyone: true, userIds: ["VXNlcjox"] }, "INVALID", ["input"]],
    [{ everyone: true, title: " " }, "REQUIRED", ["input", "title"]],
    [{ everyone: true, title: "x".repeat(201) }, "TOO_LONG", ["input", "title"]],
    [{ everyone: true, body: "x".repeat(2_001) }, "TOO_LONG", ["input", "body"]],
    [{ everyone: true, kind: "" }, "REQUIRED", ["input", "kind"]],
    [{ everyone: true, kind: "Not a word" }, "INVALID", ["input", "kind"]],
    [{ everyone: true, url: "javascript:alert(1)" }, "INVALID", ["input", "url"]],
    [{ everyone: true, url: "//evil.example/x" }, "INVALID", ["input", "url"]],
    [{ everyone: true, url: "/\\evil.example" }, "INVALID", ["input", "url"]],
    [{ everyone: true, url: "ftp://files.example" }, "INVALID", ["input", "url"]],
    [{ everyone: true, url: "https://a.example/ b" }, "INVALID", ["input", "url"]],
    [{ everyone: true, expiresAt: "2020-01-01T00:00:00Z" }, "OUT_OF_RANGE", ["input", "expiresAt"]],
    [{ everyone: true, operationId: "" }, "REQUIRED", ["input", "operationId"]],
    [{ everyone: true, operationId: "x".repeat(129) }, "TOO_LONG", ["input", "operationId"]],
  ])("Sending %# is refused with its code.", async (input, code, field) => {
    expect(await send(one().url, input)).toEqual({
      recipients: null,
      delivered: false,
      errors: [{ code, field }],
    });
  });

  it("A missing recipient stops the sending, and does not use up the operation id.", async () => {
    const user = await signUp(one().url);
    const operationId = randomUUID();
    expect(
      await send(one().url, { userIds: [user.id, "VXNlcjo5OTk5OTk"], operationId }),
    ).toMatchObject({
      errors: [{ code: "NOT_FOUND" }],
    });
    expect((await inbox(one().url, user.token)).notifications.totalCount).toBe(0);
    expect(await send(one().url, { userIds: [user.id], operationId })).toMatchObject({
      recipients: 1,
    });
  });

  it.each([["/orders/7?tab=1#x"], ["https://shop.example/a"], [null]])(
    "The url of a notification may be %s.",
    async (url) => {
      const user = await signUp(one().url);
      await send(one().url, { userIds: [user.id], url });
      const { notifications } = await inbox(one().url, user.token);
      expect(notifications.edges[0]?.node).toMatchObject({ url });
    },
  );
});

describe("marking", () => {
  it.each([
    [{}, "REQUIRED", null],
    [{ ids: [], upTo: "x" }, "INVALID", null],
    [{ upTo: "x" }, "INVALID", ["upTo"]],
    [
      {
        ids: Array.from({ length: 1_001 }, (_, at) =>
          Buffer.from(`Notification:${at + 1}`).toString("base64url"),
        ),
      },
      "OUT_OF_RANGE",
      ["ids"],
    ],
  ])("Marking %# is refused.", async (what, code, field) => {
    const { token } = await signUp(one().url);
    expect(await markRead(one().url, token, what)).toEqual({
      marked: null,
      unreadCount: null,
      errors: [{ code, field }],
    });
  });

  it("Many devices may mark at once: the count is right, and so is every event's.", async () => {
    const user = await signUp(one().url);
    const device = await follow(other().wsUrl, user.token, "");
    await sendAll(user, ["1", "2", "3", "4", "5", "6"]);
    const sent = await device.take(6);
    const acts = [
      ...sent.slice(0, 4).map(
        ({ notification }) =>
          () =>
            markRead(one().url, user.token, { ids: [notification.id] }),
      ),
      ...sent.slice(0, 4).map(
        ({ notification }) =>
          () =>
            markRead(other().url, user.token, { ids: [notification.id] }),
      ),
      () => markRead(other().url, user.token, { upTo: sent[4]!.cursor }),
      ...["7", "8", "9"].map((title) => () => send(other().url, { userIds: [user.id], title })),
    ];
    await Promise.all(acts.map((act) => act()));
    const { unreadCount, notifications } = await inbox(one().url, user.token);
    const unread = notifications.edges.filter(({ node }) => node.readAt === null);
    expect(unreadCount).toBe(unread.length);
    expect(unread.map(({ node }) => node.title).sort()).toEqual(["6", "7", "8", "9"]);
    const events = await createNotificationLogTable(database.database).last(userKey(user));
    const replay = await (await follow(one().wsUrl, user.token, "")).take(events);
    const open = new Set<string>();
    for (const event of replay) {
      if (event.__typename === "NotificationDelivered") open.add(event.notification.id);
      for (const id of readBy(event, sent)) open.delete(id);
      expect(event.unreadCount).toBe(open.size);
    }
    expect(open.size).toBe(unreadCount);
  });
});

/** What an event marks, of notifications in the order they were sent. */
function readBy({ ids, upTo }: LogEvent, sent: readonly LogEvent[]): readonly string[] {
  const newest = sent.findIndex(({ cursor }) => cursor === upTo);
  return ids?.length > 0
    ? ids
    : sent.slice(0, newest + 1).map(({ notification }) => notification.id);
}

describe("what expires", () => {
  it("An expired notification is not listed, counted or delivered.", async () => {
    let lifeMs = 1_000;
    // A slow machine needs a longer life to see it before its end.
    const { user, edge } = await until("one that is listed before it expires", async () => {
      const user = await signUp(one().url);
      lifeMs *= 2;
      await send(one().url, {
        userIds: [user.id],
        title: "short",
        expiresAt: new Date(Date.now() + lifeMs).toISOString(),
      });
      await sendAll(user, ["long"]);
      const [edge] = (await inbox(one().url, user.token)).notifications.edges.slice(-1);
      return edge?.node.title === "short" ? { user, edge } : null;
    });
    await until("it to expire", async () => (await inbox(one().url, user.token)).unreadCount === 1);
    expect(
      (await inbox(one().url, user.token)).notifications.edges.map(({ node }) => node.title),
    ).toEqual(["long"]);
    expect((await (await follow(other().wsUrl, user.token, "")).next()).notification.title).toBe(
      "long",
    );
    expect(await markRead(one().url, user.token, { ids: [edge.node.id] })).toMatchObject({
      marked: 0,
      unreadCount: 1,
    });
    await createNotificationTable(database.database).prune();
    expect((await inbox(one().url, user.token)).unreadCount).toBe(1);
    expect(await markRead(one().url, user.token, { upTo: edge.cursor })).toMatchObject({
      marked: 0,
      unreadCount: 1,
    });
  });
});

describe("a process that dies", () => {
  it("A process that dies after the commit still delivers, once.", async () => {
    const user = await signUp(one().url);
    const device = await follow(one().wsUrl, user.token, "");
    await sendAll(user, ["before"]);
    await device.next();
    // Exactly what a sender has done when it dies there: everything is committed, nothing was sent.
    await database.database.transaction(async (tx) => {
      const content = { kind: "test", title: "orphan", body: "", url: null, expiresAt: null };
      const { id, createdAt } = await createNotificationTable(database.database).write(tx, content);
      const to = await createNotificationLogTable(database.database).deliver(tx, id, [
        userKey(user),
      ]);
      await createOutboxTable(database.database).append(tx, [
        notificationEntry({ type: "delivered", content, createdAt, to }),
      ]);
    });
    await sendAll(user, ["after"]);
    expect(titles(await device.take(2))).toEqual(["orphan", "after"]);
    await until(
      "the outbox to be empty",
      async () => !(await createOutboxTable(database.database).hasUnsent()),
    );
    await sendAll(user, ["last"]);
    expect((await device.next()).notification.title).toBe("last");
  });
});
