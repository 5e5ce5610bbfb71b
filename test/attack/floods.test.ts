/**
 * Floods of what clients can invent: documents, variables, names and conditions. The store of
 * answers stays within its bytes, and a working set beside the flood keeps being answered from it.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { type RunningApp, startApp } from "../support/app.js";
import { drillSize } from "../support/drill.js";
import { metric } from "../support/graphql.js";
import { until } from "../support/until.js";

const FLOOD = drillSize({ sample: 400, full: 100_000 });
const WIDTH = 8;
const STORE_BYTES = 300_000;
/** One of so many requests is for the working set. */
const EVERY = 5;
const CONDITIONS = 17;

let app: RunningApp;
beforeAll(async () => {
  const limits = ["ADDRESS", "BLOCK"].flatMap((bucket) => [
    [`LIMIT_${bucket}_BURST`, "1000000000"],
    [`LIMIT_${bucket}_PER_SECOND`, "100000000"],
  ]);
  app = await startApp({
    products: 60,
    // Its changes would end answers.
    roles: { api: true, worker: false },
    env: {
      CACHE_REPORT: "request",
      STORED_ANSWERS_BYTES: String(STORE_BYTES),
      LIMIT_DIRECTIVES: "40",
      ...Object.fromEntries(limits),
    },
  });
});
afterAll(() => app.close());

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

it.each(Object.keys(FLOODS))("A flood of %s leaves the working set stored.", async (name) => {
  await until("the working set to be stored", async () => {
    const hits = await Promise.all(workingSet.map(ask));
    return hits.every(Boolean);
  });
  let next = 0;
  let [asked, hits] = [0, 0];
  const client = async (): Promise<void> => {
    while (next < FLOOD) {
      const at = next++;
      await ask(FLOODS[name]!(at));
      if (at % EVERY !== 0) continue;
      asked += 1;
      if (await ask(workingSet[asked % workingSet.length]!)) hits += 1;
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, client));
  expect(hits / asked).toBeGreaterThanOrEqual(0.9);
  expect(await metric(app.url, "souk_stored_answers_bytes")).toBeLessThanOrEqual(STORE_BYTES);
});
