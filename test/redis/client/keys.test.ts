/**
 * docs/keys.md and docs/redis-acl.md are written from the key specs, and the specs say what Souk
 * really leaves in Redis.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { aclPage, keysPage } from "../../../scripts/redis-pages.mjs";
import { configPartsOf, SUBJECTS } from "../../../src/app/subjects.js";
import { variablesOf } from "../../../src/config/config.js";
import { dayOf, monthOf } from "../../../src/domain/leaderboard/calendar.js";
import { DAY } from "../../../src/domain/time/time.js";
import { createActivityStore } from "../../../src/redis/activity/activity.js";
import { createAttempts } from "../../../src/redis/attempts/attempts.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import {
  type KeySpec,
  type KeySubject,
  keysOf,
  NAMESPACE,
} from "../../../src/redis/client/keys/spec.js";
import { createKeys, KEY_SPECS, KEY_SUBJECTS, type Keys } from "../../../src/redis/client/keys.js";
import { createCounterStore } from "../../../src/redis/counters/counters.js";
import { createViewerRanges } from "../../../src/redis/counters/range.js";
import { createDocumentStore } from "../../../src/redis/documents/documents.js";
import { createLimiter } from "../../../src/redis/rate-limiter/limiter.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";
import { ROOT } from "../../support/node-process.js";
import { startRedisServer } from "../../support/redis-server.js";
import { accountSettings } from "../../support/settings.js";
import { until } from "../../support/until.js";
import { createGate, createSource, filled, openTrusted, readOne } from "../cache/cache.fixture.js";
import { add, guest, openCarts } from "../cart/cart.fixture.js";
import { openTails, topic } from "../event-log/tail.fixture.js";
import { leaveBoard } from "../leaderboard/leaderboard.fixture.js";
import { newSession, readyStore } from "../session/session.fixture.js";

type Family = readonly [name: string, spec: KeySpec & { readonly owner: string }];
const FAMILIES = KEY_SUBJECTS.flatMap(({ owner, families }: KeySubject) =>
  Object.entries(families).map(([name, spec]): Family => [name, { owner, ...spec }]),
);

const page = (name: string): string => readFileSync(join(ROOT, "docs", name), "utf8");

/** The TypeScript of a folder of redis. */
function sourceOf(folder: string): string {
  const path = join(ROOT, "src/redis", folder);
  const files = readdirSync(path).filter((name) => name.endsWith(".ts"));
  return files.map((name) => readFileSync(join(path, name), "utf8")).join("");
}

function evicted(type: KeySpec["type"], evictable?: true): string {
  if (type === "channel") return "-";
  return evictable ? "yes" : "no";
}

/** `<name>` stands for anything. */
const matcher = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split(/<[^>]+>/)
      .map((part) => part.replace(/[{}!]/g, "\\$&"))
      .join(".+")}$`,
  );

/** The family that a key is of; the last where several match, as `{!epoch}` is a `{<tag>}`. */
const familyOf = (key: string, isChannel = false): KeySpec | undefined =>
  FAMILIES.map(([, spec]) => spec)
    .filter(({ type }) => (type === "channel") === isChannel)
    .filter((spec) => matcher(NAMESPACE + spec.key).test(key))
    .at(-1);

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
  const attempts = createAttempts(testCaller(connection), keys, accountSettings().attempts);
  const attempt = { id: "attempt", account: "ada@test.example", ip: "2001:db8::1" };
  await attempts.signIn(attempt);
  await attempts.forgive(attempt);
  await attempts.signIn({ ...attempt, id: "another" });
  await store.load("tag", { epoch: 1, revokedIds: [] });
  await store.loadRevokedBefore(0);
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
  await store.claimShard(1, "", "generation");
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
  await store.cutBatch([1], "batch");
  await store.view({ ...event, operation: { slot: 2, id: "two_____" } }, "bob");
  await createViewerRanges(testCaller(connection), keys).estimate(1, [
    dayOf(nowMs - DAY),
    event.day,
  ]);
}

/** What a log that is read and appended to leaves. */
async function appendToLog(url: string, keys: Keys): Promise<void> {
  const { tail } = await openTails({ url, keys });
  await tail.end(topic(1), "caller");
  await tail.load(topic(1), "caller", 0);
  await tail.append(topic(1), 1, "entry");
}

it("The pages of keys and of rights are those that codegen writes.", () => {
  const advice = "the page is older than the specs: run `npm run codegen` and commit it";
  expect(page("keys.md"), advice).toBe(keysPage(KEY_SUBJECTS, NAMESPACE));
  expect(page("redis-acl.md"), advice).toBe(aclPage(KEY_SUBJECTS, NAMESPACE));
});

it("The page of keys documents every family of keys and channels, and no other.", () => {
  const row = /^\| (\w+) \| `([^`]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm;
  const rows = [...page("keys.md").matchAll(row)].map(([, name, ...cells]) => [name, cells]);
  const specs = FAMILIES.map(([name, { type, ttl, owner, bound, evictable, key }]) => [
    name,
    [NAMESPACE + key, type, ttl, owner, bound, evicted(type, evictable)],
  ]);
  expect(rows).toEqual(specs);
});

it("A key is its pattern under the prefix, with the arguments in their order.", () => {
  const keys = createKeys("test:");
  expect([
    keys.cacheEntry("product:1"),
    keys.cacheEpoch(),
    keys.cacheTagPrefix(),
    keys.cartMerge("user:1", "guest:1"),
    keys.attempts("sign-in", "place", "id"),
    keys.boardRanks(1, "2:DAY:3"),
    keys.tally(1, 65),
    keys.tallySpan(1, 65, "2026-11"),
    keys.topic("productChanged", 1),
  ]).toEqual([
    "test:souk:v1:cache:{product:1}",
    "test:souk:v1:tag:{!epoch}",
    "test:souk:v1:tag:",
    "test:souk:v1:cart-merge:{user:1}:guest:1",
    "test:souk:v1:attempts:{sign-in}:place:id",
    "test:souk:v1:board:{1}:2:DAY:3:ranks",
    "test:souk:v1:tally:{c1}:65",
    "test:souk:v1:tally-of:{c1}:65:2026-11",
    "test:souk:v1:topic:productChanged:1",
  ]);
});

it("A subject that is not in the list builds keys from its own specs.", () => {
  const basket = {
    key: "basket:{<owner>}:<day>",
    type: "set",
    ttl: "a day",
    bound: "owners",
  } as const;
  expect(keysOf("test:", { basket }).basket("ada", 7)).toBe("test:souk:v1:basket:{ada}:7");
});

it("The keys of a family match no later pattern than its own.", () => {
  const keys: Readonly<Record<string, (...parts: string[]) => string>> = createKeys();
  for (const [name, spec] of FAMILIES) {
    const parts = spec.key.match(/<[^>]+>/g) ?? [];
    const key = keys[name]?.(...parts.map((_, at) => `part${at}`)) ?? "";
    expect(familyOf(key, spec.type === "channel")?.key).toBe(spec.key);
  }
});

it("A family has one name, its owners exist, and it names variables that are read.", () => {
  expect(FAMILIES.map(([name]) => name)).toEqual(Object.keys(KEY_SPECS));
  const declared = variablesOf(configPartsOf(SUBJECTS));
  for (const [name, { owner, ttl, bound }] of FAMILIES) {
    const owners = owner.split(", ").filter((file) => !existsSync(join(ROOT, "src", file)));
    const variables = `${ttl} ${bound}`.match(/[A-Z]+(?:_[A-Z]+)+/g) ?? [];
    const unread = variables.filter((variable) => !(variable in declared));
    expect([name, owners, unread]).toEqual([name, [], []]);
  }
});

it("A subject names no command that its files do not send.", () => {
  for (const { folder, commands } of KEY_SUBJECTS) {
    const source = [folder, "client"].map(sourceOf).join("").toLowerCase();
    const sends = (command: string): boolean =>
      new RegExp(`\\.${command.replace("|", '\\(\\s*"')}["(]`).test(source);
    expect([folder, commands.filter((command) => !sends(command))]).toEqual([folder, []]);
  }
});

it("Every key that Souk leaves in Redis is of a documented family, type and lifetime.", async () => {
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
  const families = FAMILIES.filter(([, { type }]) => type !== "channel");
  const found = new Set<string>();
  for (const key of await admin.keys("*")) {
    const family = familyOf(key);
    expect(family, key).toBeDefined();
    expect([key, await admin.type(key)]).toEqual([key, family?.type]);
    expect([key, (await admin.pttl(key)) === -1]).toEqual([key, family?.ttl === "none"]);
    found.add(family?.key ?? "");
  }
  expect(found.size).toBe(families.length);
  gate.open();
  await loading;
  await until(
    "the end of the lease",
    async () => (await admin.exists(keys.cacheLease("thing:2"))) === 0,
  );
});
