/**
 * docs/keys.md says what src/redis/client/keys.ts spells, and both say what a cache really leaves
 * in Redis.
 */
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { readConfig } from "../../../src/config/config.js";
import { dayOf, monthOf } from "../../../src/domain/leaderboard/calendar.js";
import { DAY } from "../../../src/domain/time/time.js";
import { createActivityStore } from "../../../src/redis/activity/activity.js";
import { createAttempts } from "../../../src/redis/attempts/attempts.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createKeys, KEY_FAMILIES, type Keys } from "../../../src/redis/client/keys.js";
import { createCounterStore } from "../../../src/redis/counters/counters.js";
import { createViewerRanges } from "../../../src/redis/counters/range.js";
import { createDocumentStore } from "../../../src/redis/documents/documents.js";
import { createLimiter } from "../../../src/redis/rate-limiter/limiter.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";
import { startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";
import { createGate, createSource, filled, openTrusted, readOne } from "../cache/cache.fixture.js";
import { add, guest, openCarts } from "../cart/cart.fixture.js";
import { openLogs, topic } from "../event-log/event-log.fixture.js";
import { leaveBoard } from "../leaderboard/leaderboard.fixture.js";
import { newSession, readyStore } from "../session/session.fixture.js";

const document = readFileSync(new URL("../../../docs/keys.md", import.meta.url), "utf8");

/** `<name>` stands for anything. */
const matcher = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split(/<[^>]+>/)
      .map((part) => part.replace(/[{}!]/g, "\\$&"))
      .join(".+")}$`,
  );

/** What a guest leaves who filled a cart and signed in. */
async function moveCart(url: string, keys: Keys): Promise<void> {
  const { store } = await openCarts({ url, keys });
  await store.change(guest("id"), add(1, 1));
  await store.change(guest("id"), add(1, 1, { operationId: "named" }));
  const { move, lines, operations } = await store.seal("id", 1);
  await store.merge(
    move,
    lines.map((line) => ({ ...line, stock: 1 })),
    operations,
  );
}

/** What a sign-in leaves. */
async function openSession(url: string, keys: Keys): Promise<void> {
  const { store, connection } = await readyStore({ url, keys });
  const attempts = createAttempts(testCaller(connection), keys, readConfig({}).attempts);
  const attempt = { id: "attempt", account: "ada@test.example", ip: "2001:db8::1" };
  await attempts.signIn(attempt);
  await attempts.forgive(attempt);
  await attempts.signIn({ ...attempt, id: "another" });
  await store.load("tag", { epoch: 1, revokedIds: [] });
  await store.loadEverybody(0);
  await store.create(newSession("tag", "id"));
  const bucket = { kind: "viewer", name: "7", rule: { burst: 10, perSecond: 0.1 } } as const;
  await createLimiter(testCaller(connection), keys, { keepMs: 60_000 }).consume("operation", [
    { bucket, cost: 1 },
  ]);
}

/** What a client leaves that sends a document with its hash. */
async function keepDocument(url: string, keys: Keys): Promise<void> {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  await createDocumentStore(testCaller(connection), keys, {
    ttlMs: 60_000,
    maxBytes: 100_000,
  }).keep("hash", "{ a }");
}

/** What a report of activity leaves. */
async function reportActivity(url: string, keys: Keys): Promise<void> {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const store = createActivityStore(testCaller(connection), keys);
  const day = dayOf(Date.now());
  await store.note(day, 7);
  await store.load(day, [8], "report");
  await store.unions("report").union("day", [day]);
}

/** What two views leave, with a flush between them that did not end. */
async function countViews(url: string, keys: Keys): Promise<void> {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const store = createCounterStore(testCaller(connection), keys, {
    viewMs: 60_000,
    operationMs: 60_000,
  });
  const nowMs = Date.now();
  const event = { productId: 1, day: dayOf(nowMs), month: monthOf(nowMs) };
  await store.adopt(1, "", "generation");
  const nothing = {
    applied: "",
    views: 0,
    shares: 0,
    viewers: 0,
    sketch: null,
    isOver: false,
    few: [],
  };
  for (const period of ["all", event.month, event.day] as const)
    await store.load({ productId: 1, period }, nothing, nowMs);
  await store.view({ ...event, operation: { slot: 1, id: "one_____" } }, "ada");
  await store.seal([1], "batch");
  await store.view({ ...event, operation: { slot: 2, id: "two_____" } }, "bob");
  await createViewerRanges(testCaller(connection), keys).estimate(1, [
    dayOf(nowMs - DAY),
    event.day,
  ]);
}

/** What appending to a log leaves. */
async function appendToLog(url: string, keys: Keys): Promise<void> {
  const { log } = await openLogs({ url, keys });
  await log.append(topic(1), "entry", "operation");
}

it("documents every family of keys and channels, and no other", () => {
  const documented = [
    ...document.matchAll(/^\| (\w+) \| `([^`]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm),
  ];
  const rows = documented.map(([, name, pattern, type, ttl, owner, bound]) => [
    name,
    { pattern, type, ttl, owner, bound },
  ]);
  expect(Object.fromEntries(rows)).toEqual(KEY_FAMILIES);
});

it("spells every key as its family is documented", () => {
  const keys = createKeys();
  const spelled: Record<string, string> = {
    cacheEntry: keys.cacheEntry("product:1"),
    cacheLease: keys.cacheLease("product:1"),
    cacheTag: keys.cacheTag("product:1"),
    cacheEpoch: keys.cacheEpoch(),
    cacheSeen: keys.cacheSeen(),
    cacheSeenChannel: keys.cacheSeenChannel(),
    cacheFilled: keys.cacheFilled(),
    session: keys.session("user", "id"),
    sessions: keys.sessions("user"),
    sessionEpoch: keys.sessionEpoch("user"),
    sessionEverybody: keys.sessionEverybody(),
    attempts: keys.attempts("sign-in", "place", "id"),
    attemptsKnown: keys.attemptsKnown("id"),
    documents: keys.documents(),
    documentsUsed: keys.documentsUsed(),
    cart: keys.cart("user:1"),
    cartOperations: keys.cartOperations("user:1"),
    cartTry: keys.cartTry("user:1", "id"),
    cartMerge: keys.cartMerge("user:1", "guest:1"),
    board: keys.board(1),
    boardNames: keys.boardNames(1),
    boardWaiting: keys.boardWaiting(1),
    boardAnswers: keys.boardAnswers(1, 2),
    boardBuild: keys.boardBuild(1),
    boardRanks: keys.boardRanks(1, "2:DAY:3"),
    boardOwners: keys.boardOwners(1, "2:DAY:3"),
    boardScores: keys.boardScores(1, "2:DAY:3"),
    counterShard: keys.counterShard(1),
    counterPending: keys.counterPending(1),
    counterBatch: keys.counterBatch(1),
    tally: keys.tally(1, 65),
    tallySpan: keys.tally(1, 65, "2026-11"),
    viewers: keys.viewers(1, 65),
    viewersSpan: keys.viewers(1, 65, "2026-11-03"),
    viewersMerged: keys.viewersMerged(1, 65, "2026-11-01:2026-11-02:generation"),
    exactViewers: keys.exactViewers(1, 65),
    recentViewers: keys.recentViewers(1, 65),
    counterOperations: keys.counterOperations(1, 2),
    log: keys.log("notification", 1),
    logState: keys.logState("notification", 1),
    logOperation: keys.logOperation("notification", 1, "operation"),
    activityDay: keys.activityDay("2026-11-03"),
    activityLoaded: keys.activityLoaded("2026-11-03"),
    activityUnion: keys.activityUnion("report", "week"),
    limitBucket: keys.limitBucket("viewer", "7"),
    limitHold: keys.limitHold("operation"),
    topic: keys.topic("productChanged", 1),
    heartbeat: keys.heartbeat("a"),
  };
  for (const [name, { pattern }] of Object.entries(KEY_FAMILIES))
    expect(spelled[name]).toMatch(matcher(pattern));
  expect(Object.keys(spelled)).toEqual(Object.keys(KEY_FAMILIES));
});

it("leaves no key in Redis but of a documented family, type and lifetime", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const keys = createKeys();
  const [cache, source, gate] = [
    await openTrusted({ url: server.url, keys }),
    createSource(),
    createGate(),
  ];
  await readOne(cache, 1, source);
  await filled(cache, keys, "thing:1");
  await cache.invalidate(["thing:1"]);
  source.gate = gate.pass;
  const loading = readOne(cache, 2, source);
  await gate.reached;
  await openSession(server.url, keys);
  await leaveBoard({ url: server.url, keys });
  await countViews(server.url, keys);
  await reportActivity(server.url, keys);
  await keepDocument(server.url, keys);
  await moveCart(server.url, keys);
  await appendToLog(server.url, keys);
  const families = Object.values(KEY_FAMILIES).filter(({ type }) => type !== "channel");
  const found = new Set<string>();
  for (const key of await admin.keys("*")) {
    const family = families.filter(({ pattern }) => matcher(pattern).test(key)).at(-1);
    expect(family, key).toBeDefined();
    expect([key, await admin.type(key)]).toEqual([key, family?.type]);
    expect([key, (await admin.pttl(key)) === -1]).toEqual([key, family?.ttl === "none"]);
    found.add(family?.pattern ?? "");
  }
  expect(found.size).toBe(families.length);
  gate.open();
  await loading;
  await until(
    "the end of the lease",
    async () => (await admin.exists(keys.cacheLease("thing:2"))) === 0,
  );
});
