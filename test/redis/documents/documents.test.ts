/** The store of documents: bounded in bytes whatever happens, and never in anybody's way. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import {
  createDocumentStore,
  type DocumentStoreOptions,
} from "../../../src/redis/documents/documents.js";
import { testCaller } from "../../support/caller.js";
import { drillSize } from "../../support/drill.js";
import { createProxy } from "../../support/faults.js";
import { testLog } from "../../support/log.js";
import { testRedis } from "../../support/redis.js";
import { startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";

const HOUR = 3_600_000;
/** What the store counts for a document besides its text. */
const BESIDES = 256;

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

async function openStore(
  { deadlineMs, ...options }: Partial<DocumentStoreOptions> & { deadlineMs?: number } = {},
  url?: string,
) {
  const place = testRedis();
  const connection = connectRedis({ url: url ?? place.url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const store = createDocumentStore(testCaller(connection, { deadlineMs }), place.keys, {
    ttlMs: HOUR,
    maxBytes: 1024 * 1024,
    ...options,
  });
  const keep = (text: string) => store.keep(hashOf(text), text);
  const find = (text: string) => store.find(hashOf(text));
  /** What is there, and what it is said to weigh. */
  const weigh = async () => {
    const { bytes = "0", ...texts } = await connection.hgetall(place.keys.documents());
    const weight = Object.values(texts).reduce(
      (sum, text) => sum + Buffer.byteLength(text) + BESIDES,
      0,
    );
    return {
      said: Number(bytes),
      weight,
      documents: Object.keys(texts).sort(),
      used: (await connection.zrange(place.keys.documentsUsed(), 0, -1)).sort(),
    };
  };
  return { ...place, connection, store, keep, find, weigh };
}

it("A document is found by its hash, by every process, and by nothing else.", async () => {
  const { keep, find, connection, keys } = await openStore();
  await keep("{ é }");
  const other = createDocumentStore(testCaller(connection), keys, {
    ttlMs: HOUR,
    maxBytes: 1024 * 1024,
  });
  expect([
    await other.find(hashOf("{ é }")),
    await find("{ b }"),
    await other.find("bytes"),
  ]).toEqual(["{ é }", null, null]);
});

it("The document that was used longest ago makes room.", async () => {
  const text = (name: string) => `{ ${name.padEnd(1_000, "x")} }`;
  const { keep, find, connection, keys } = await openStore({ maxBytes: 64 * 1024 });
  // As many as fit, each used a second after the one before.
  const names = Array.from(
    { length: Math.floor((64 * 1024) / (text("f").length + BESIDES)) },
    (_item, at) => `f${at}`,
  );
  for (const [at, name] of names.entries()) {
    await keep(text(name));
    await connection.zadd(
      keys.documentsUsed(),
      Date.now() - 100_000 + at * 1_000,
      hashOf(text(name)),
    );
  }
  expect(await find(text("f0"))).not.toBeNull();
  await keep(text("new"));
  const found = await Promise.all(
    ["f0", "f1", "f2", "new"].map(async (name) => (await find(text(name))) !== null),
  );
  expect(found).toEqual([true, false, true, true]);
});

it("Whatever is kept, its weight is told truly, within the bound, and in order.", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          keep: fc.constantFrom(true, true, true, false),
          name: fc.integer({ min: 0, max: 40 }),
          length: fc.constantFrom(200, 400, 480),
        }),
        { minLength: 120, maxLength: 160 },
      ),
      async (steps) => {
        const { keep, find, weigh } = await openStore({ maxBytes: 64 * 1024 });
        for (const { keep: keeps, name, length } of steps) {
          const text = `{ f${name} ${"é".repeat(length)} }`;
          await (keeps ? keep(text) : find(text));
          const { said, weight, documents, used } = await weigh();
          expect(said).toBe(weight);
          expect(weight).toBeLessThanOrEqual(64 * 1024);
          expect(used).toEqual(documents);
        }
      },
    ),
    { seed: 65, endOnFailure: true, numRuns: drillSize({ sample: 10, full: 200 }) },
  );
});

it("A document that is longer than its share is not kept.", async () => {
  const { keep, find, weigh } = await openStore({ maxBytes: 64 * 1024 });
  await keep(`{ ${"x".repeat(1_100)} }`);
  expect([await find(`{ ${"x".repeat(1_100)} }`), (await weigh()).documents]).toEqual([null, []]);
});

it("A document unused for too long is not found, and goes with the next one kept.", async () => {
  const { keep, find, weigh, connection, keys } = await openStore();
  await keep("{ old }");
  await connection.zadd(keys.documentsUsed(), Date.now() - 2 * HOUR, hashOf("{ old }"));
  expect(await find("{ old }")).toBeNull();
  await keep("{ new }");
  expect((await weigh()).documents).toEqual([hashOf("{ new }")]);
  expect(await connection.pttl(keys.documents())).toBeGreaterThan(HOUR - 60_000);
  expect(await connection.pttl(keys.documentsUsed())).toBeGreaterThan(HOUR - 60_000);
});

it("The store works and stays bounded when a server evicts either of its two keys.", async () => {
  const { keep, find, weigh, connection, keys } = await openStore({ maxBytes: 64 * 1024 });
  const fill = async (name: string) => {
    for (let at = 0; at < 60; at++) await keep(`{ ${name}${at} ${"x".repeat(900)} }`);
  };
  await fill("a");
  await connection.del(keys.documentsUsed());
  await fill("b");
  expect((await weigh()).weight).toBeLessThanOrEqual(64 * 1024);
  await connection.del(keys.documents());
  await fill("c");
  const { said, weight } = await weigh();
  expect([said, weight <= 64 * 1024]).toEqual([weight, true]);
  expect(await find(`{ c59 ${"x".repeat(900)} }`)).not.toBeNull();
});

it("A full server keeps nothing new, still finds, and reports no error.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const { keep, find, connection } = await openStore({}, server.url);
  await keep("{ before }");
  await connection.call("CONFIG", "SET", "maxmemory", "1");
  expect(await find("{ before }")).toBe("{ before }");
  await keep("{ after }");
  // The refusal was an answer: Redis is asked on.
  expect(await find("{ before }")).toBe("{ before }");
  await connection.call("CONFIG", "SET", "maxmemory", "0");
  expect(await find("{ after }")).toBeNull();
});

it("A silent server costs one deadline, and is not asked for a while.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const { hostname, port } = new URL(server.url);
  const proxy = await createProxy({ target: { host: hostname, port: Number(port) } });
  onTestFinished(() => proxy.close());
  const { keep, find, connection } = await openStore(
    { deadlineMs: 100 },
    `redis://127.0.0.1:${proxy.port}`,
  );
  await keep("{ a }");
  let sent = 0;
  const asked = connection.documentsFind.bind(connection);
  connection.documentsFind = (...args: Parameters<typeof asked>) => {
    sent += 1;
    return asked(...args);
  };
  proxy.blackHole();
  expect(await Promise.all([find("{ a }"), find("{ b }")])).toEqual([null, null]);
  expect(sent).toBe(2);
  expect([await find("{ a }"), await find("{ a }"), await keep("{ c }")]).toEqual([
    null,
    null,
    undefined,
  ]);
  expect(sent).toBe(2);
  await proxy.restore();
  await until("Redis to be asked again", async () => (await find("{ a }")) === "{ a }");
});
