/**
 * Floods of what clients can invent: documents, variables, names and conditions. The store of
 * answers stays within its bytes, and a working set beside the flood keeps being answered from it.
 * The process holds no more than its bounds.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import { drillSize } from "../support/drill.js";
import { metric } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const FLOOD = drillSize({ sample: 400, full: 100_000 });
const WIDTH = 8;
const STORE_BYTES = 300_000;
const LOCAL_BYTES = 8 * 1024 * 1024;
/** Of 2,000 small documents, with what is known of each. */
const DOCUMENT_BYTES = 20 * 1024 * 1024;
/** One of so many requests is for the working set. */
const EVERY = 5;
const CONDITIONS = 17;

let database: TestDatabase;
let app: AppProcess;
beforeAll(async () => {
  const limits = ["ADDRESS", "BLOCK"].flatMap((bucket) => [
    [`LIMIT_${bucket}_BURST`, "1000000000"],
    [`LIMIT_${bucket}_PER_SECOND`, "100000000"],
  ]);
  database = await seededDatabase(60);
  // A process of its own, because its memory is measured; without a worker, whose changes would end
  // answers.
  app = await startProcess([...REPORTING, "dist/main.js", "--api"], {
    DATABASE_URL: database.url,
    REDIS_URL: testRedis().url,
    CACHE_REPORT: "request",
    CACHE_LOCAL_BYTES: String(LOCAL_BYTES),
    STORED_ANSWERS_BYTES: String(STORE_BYTES),
    LIMIT_DIRECTIVES: "40",
    ...Object.fromEntries(limits),
  });
});
afterAll(async () => {
  await app.end();
  await database.close();
});

const REPORTING = ["--expose-gc", "--import", "./test/support/report-memory.mjs"];

/** What the server holds after a collection, in bytes. */
async function retained(): Promise<number> {
  const reports = () => [...app.output().matchAll(/"retained":(\d+)/g)].map(([, bytes]) => bytes);
  const before = reports().length;
  app.child.kill("SIGWINCH");
  return Number(await until("a report of memory", () => reports()[before]));
}

interface Asked {
  readonly query: string;
  readonly variables?: object;
  readonly operationName?: string;
}

/** Whether the answer came from the store. */
async function ask(asked: Asked): Promise<boolean> {
  const answer = await fetch(app.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
  });
  expect([answer.status, (await answer.json()).errors]).toEqual([200, undefined]);
  return answer.headers.get("cache-status") === "souk; hit";
}

const PAGE = "query Page($first: Int!) { products(first: $first) { edges { node { id name } } } }";
const workingSet = Array.from({ length: 20 }, (_, at) => ({
  query: PAGE,
  variables: { first: at + 1 },
}));

const conditions = Array.from({ length: CONDITIONS }, (_, at) => `c${at}`);
const CONDITIONAL = `query C(${conditions.map((name) => `$${name}: Boolean!`).join(" ")}) { brands(first: 1) {
  ${conditions
    .map((name, at) => `f${at % 10}${at}: totalCount @include(if: $${name})`)
    .slice(0, 14)
    .join(" ")}
  ${conditions
    .slice(14)
    .map((name) => `edges @skip(if: $${name}) { cursor }`)
    .join(" ")} } }`;

const FLOODS: Readonly<Record<string, (at: number) => Asked>> = {
  documents: (at) => ({ query: `{ brands(first: ${1 + (at % 50)}) { totalCount } } # ${at}` }),
  "operation names": (at) => ({ query: `query F${at} { brands(first: 1) { totalCount } }` }),
  variables: (at) => ({
    query: "query V($id: ID!) { product(id: $id) { name } }",
    variables: { id: encodeId("Product", at + 1) },
  }),
  conditions: (at) => ({
    query: CONDITIONAL,
    variables: Object.fromEntries(conditions.map((name, bit) => [name, ((at >> bit) & 1) === 1])),
  }),
};

/** Sends requests, some at once. */
async function send(count: number, one: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: WIDTH }, client));
}

const STATS = "query S($id: ID!) { product(id: $id) { name stats { views } } }";

/** What a server holds that is used as usual. */
let usual: number;
beforeAll(async () => {
  await send(500, (at) =>
    ask({ query: STATS, variables: { id: encodeId("Product", 1 + (at % 60)) } }),
  );
  usual = await retained();
});

it.each(Object.keys(FLOODS))("A flood of %s leaves the working set stored.", async (name) => {
  await until("the working set to be stored", async () => {
    const hits = await Promise.all(workingSet.map(ask));
    return hits.every(Boolean);
  });
  let [asked, hits] = [0, 0];
  await send(FLOOD, async (at) => {
    await ask(FLOODS[name]!(at));
    if (at % EVERY !== 0) return;
    asked += 1;
    if (await ask(workingSet[asked % workingSet.length]!)) hits += 1;
  });
  expect(hits / asked).toBeGreaterThanOrEqual(0.9);
  expect(await metric(app.url, "souk_stored_answers_bytes")).toBeLessThanOrEqual(STORE_BYTES);
  expect(await retained()).toBeLessThanOrEqual(
    1.1 * (usual + LOCAL_BYTES + STORE_BYTES + DOCUMENT_BYTES),
  );
});
