/**
 * GET of a public document of the manifest: caches may keep the answer, an entity tag names its
 * bytes, and no client gets an older one than it has seen.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signUp } from "../support/accounts.js";
import { type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { metric, post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const PAGE = `query Page($first: Int!) {
  products(first: $first) { totalCount edges { cursor node { id name sku stock brand { name } } } }
}`;
const ONE = "query One($id: ID!) { product(id: $id) { name stock } }";
const DOCUMENTS = {
  page: PAGE,
  one: ONE,
  mine: "query Mine { viewer { user { name } } }",
  counted: "query Counted { products(first: 1) { edges { node { stats { views } } } } }",
};

let folder: string;
let database: TestDatabase;
/** One that stores answers, one that executes, and one that lets caches share. */
let apps: Readonly<Record<"storing" | "executing" | "sharing", RunningApp>>;
let productId: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "souk-manifest-"));
  const file = join(folder, "manifest.json");
  writeFileSync(file, JSON.stringify(DOCUMENTS));
  database = await seededDatabase(120);
  const keyPrefix = testRedis().prefix;
  const env = { CACHE_REPORT: "request", PERSISTED_DOCUMENTS_FILE: file };
  const api = { roles: { api: true, worker: false } };
  apps = {
    storing: await startApp({ database, keyPrefix, env }),
    executing: await startApp({
      ...{ database, keyPrefix, ...api },
      env: { ...env, STORED_ANSWERS_BYTES: "0" },
    }),
    sharing: await startApp({
      ...{ database, keyPrefix, ...api },
      env: { ...env, STORED_ANSWERS_SHARED_MAX_AGE: "30" },
    }),
  };
  const { data } = await post(apps.storing.url, "{ products(first: 1) { edges { node { id } } } }");
  productId = (data.products!.edges as unknown as [{ node: { id: string } }])[0].node.id;
});
afterAll(async () => {
  for (const app of Object.values(apps ?? {})) await app.close();
  await database?.close();
  rmSync(folder, { recursive: true });
});

interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly hit: boolean;
}

/** Asks with exactly these headers: fetch would add some. */
function get(app: RunningApp, search: string, headers: Record<string, string> = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    const asked = request(`${app.url}${search}`, { headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          bytes: Buffer.concat(chunks),
          hit: answer.headers["cache-status"] === "souk; hit",
        }),
      );
    });
    asked.on("error", reject).end();
  });
}

const searchOf = (documentId: string, variables: object): string =>
  `?${new URLSearchParams({ documentId, variables: JSON.stringify(variables) })}`;

/** Asks until the answer comes from the store. */
async function warm(search: string, headers: Record<string, string> = {}): Promise<Told> {
  return until("a stored answer", async () => {
    const told = await get(apps.storing, search, headers);
    return told.hit ? told : null;
  });
}

/** Headers of an answer that do not differ between any two. */
const lasting = ({ headers }: Told) =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !["date", "x-request-id", "cache-status"].includes(name),
    ),
  );

it("An answer that caches may keep says nothing of its client, stored and executed alike.", async () => {
  const search = searchOf("page", { first: 3 });
  const executed = await get(apps.executing, search);
  const first = await get(apps.storing, search);
  const stored = await warm(search);
  const { token } = await signUp(apps.storing.url);
  const signedIn = await get(apps.storing, search, { authorization: `Bearer ${token}` });
  expect(executed.status).toBe(200);
  expect(executed.headers).toMatchObject({
    "cache-control": "public, no-cache",
    etag: expect.stringMatching(/^"[\w-]{22}"$/),
    vary: "Origin, Accept, Accept-Encoding",
    "content-type": "application/json; charset=utf-8",
  });
  for (const name of ["set-cookie", "ratelimit", "ratelimit-policy", "souk-seen"])
    expect(executed.headers).not.toHaveProperty(name);
  expect(Object.keys(JSON.parse(executed.bytes.toString()))).toEqual(["data"]);
  for (const told of [first, stored, signedIn]) {
    expect(told.bytes.equals(executed.bytes)).toBe(true);
    expect(lasting(told)).toEqual(lasting(executed));
  }
});

it("A document of the manifest that is sent whole, or by its hash, is the same.", async () => {
  const variables = JSON.stringify({ first: 4 });
  const expected = await get(apps.executing, searchOf("page", { first: 4 }));
  for (const named of [{ query: PAGE }, { documentId: "page", operationName: "Page" }]) {
    const told = await get(apps.storing, `?${new URLSearchParams({ ...named, variables })}`);
    expect(told.bytes.equals(expected.bytes)).toBe(true);
    expect(told.headers.etag).toBe(expected.headers.etag);
  }
});

describe("a client that holds a copy", () => {
  it.each(["storing", "executing"] as const)("Of an app %s answers it gets 304.", async (name) => {
    const search = searchOf("page", { first: 5 });
    const { headers } = await get(apps[name], search);
    for (let times = 0; times < 6; times += 1) {
      for (const held of [headers.etag, `W/${headers.etag}`, `"other", ${headers.etag}`, "*"]) {
        const again = await get(apps[name], search, { "if-none-match": String(held) });
        expect([held, again.status, again.bytes.length, again.headers.etag]).toEqual([
          held,
          304,
          0,
          headers.etag,
        ]);
        expect(again.headers).toMatchObject({
          "cache-control": "public, no-cache",
          vary: "Origin, Accept, Accept-Encoding",
        });
      }
      const other = await get(apps[name], search, { "if-none-match": '"other"' });
      expect([other.status, other.headers.etag]).toEqual([200, headers.etag]);
    }
  });

  it("Gets the new answer after a change, and after its own change at once.", async () => {
    const search = searchOf("one", { id: productId });
    const { headers, bytes } = await warm(search);
    const adjusted = await fetch(apps.executing.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${apps.executing.adminToken}`,
      },
      body: JSON.stringify({
        query: "mutation ($id: ID!) { adjustStock(id: $id, by: 1) { errors { code } } }",
        variables: { id: productId },
      }),
    });
    const held = { "if-none-match": String(headers.etag) };
    const seen = adjusted.headers.get("souk-seen") ?? "";
    const own = await get(apps.storing, search, { ...held, "souk-seen": seen });
    expect(own.status).toBe(200);
    const stock = JSON.parse(bytes.toString()).data.product.stock;
    expect(JSON.parse(own.bytes.toString()).data.product.stock).toBe(stock + 1);
    expect(own.headers.etag).not.toBe(headers.etag);
    await until(
      "others to get it",
      async () => (await get(apps.storing, search, held)).status === 200,
    );
  });
});

it("From the third asking on an answer is sent compressed, under a tag of its own.", async () => {
  const search = searchOf("page", { first: 60 });
  const plain = await warm(search);
  expect(plain.bytes.length).toBeGreaterThan(5_000);
  const decoders = { br: brotliDecompressSync, gzip: gunzipSync };
  for (const [coding, decode] of Object.entries(decoders)) {
    const accepted = { "accept-encoding": coding };
    const coded = await until(`an answer in ${coding}`, async () => {
      const told = await get(apps.storing, search, accepted);
      return told.headers["content-encoding"] === coding ? told : null;
    });
    expect(decode(coded.bytes).equals(plain.bytes)).toBe(true);
    expect(coded.bytes.length).toBeLessThan(plain.bytes.length / 3);
    expect(coded.headers["content-length"]).toBe(String(coded.bytes.length));
    const tag = String(coded.headers.etag);
    expect(tag).toBe(String(plain.headers.etag).replace(/"$/, `-${coding}"`));
    const again = await get(apps.storing, search, { ...accepted, "if-none-match": tag });
    expect([again.status, again.headers.etag]).toEqual([304, tag]);
  }
  const both = await get(apps.storing, search, { "accept-encoding": "gzip, deflate, br" });
  expect(both.headers["content-encoding"]).toBe("br");
  const none = await get(apps.storing, search, { "accept-encoding": "identity" });
  expect(none.bytes.equals(plain.bytes)).toBe(true);
  const bytes = await metric(apps.storing.url, "souk_stored_answers_bytes");
  expect(bytes).toBeGreaterThan(plain.bytes.length);
});

it("An answer to POST is never compressed, and has its cost.", async () => {
  await warm(searchOf("page", { first: 60 }));
  const answer = await fetch(apps.storing.url, {
    method: "POST",
    headers: { "content-type": "application/json", "accept-encoding": "gzip" },
    body: JSON.stringify({ query: PAGE, variables: { first: 60 } }),
  });
  expect(answer.headers.get("content-encoding")).toBeNull();
  expect(answer.headers.get("cache-control")).toBeNull();
  expect((await answer.json()).extensions.cost.actual).toBeGreaterThan(0);
});

it("An operator can let shared caches answer unasked for a while.", async () => {
  const { headers } = await get(apps.sharing, searchOf("page", { first: 3 }));
  expect(headers["cache-control"]).toBe("public, max-age=0, s-maxage=30");
});

describe("other answers to GET", () => {
  const preflight = { "apollo-require-preflight": "1" };
  it.each([
    ["shows the viewer", searchOf("mine", {}), 200],
    ["shows counters", searchOf("counted", {}), 200],
    [
      "is not in the manifest",
      `?${new URLSearchParams({ query: "{ brands(first: 1) { totalCount } }" })}`,
      200,
    ],
    ["has errors", searchOf("page", { first: 101 }), 400],
    ["lacks a variable", searchOf("one", {}), 400],
  ])("One that %s is kept by no cache.", async (_, search, status) => {
    for (let times = 0; times < 4; times += 1) {
      const told = await get(apps.storing, search, preflight);
      expect([told.status, told.headers["cache-control"]]).toEqual([status, "no-store"]);
      expect(told.headers).not.toHaveProperty("etag");
    }
  });

  it.each([
    ["shows the viewer", searchOf("mine", {})],
    [
      "is not in the manifest",
      `?${new URLSearchParams({ query: "{ brands(first: 1) { totalCount } }" })}`,
    ],
  ])("One that %s needs a header that foreign pages cannot send.", async (_, search) => {
    expect((await get(apps.storing, search)).status).toBe(400);
  });

  it("Of an invalid token is refused, whatever is stored.", async () => {
    const search = searchOf("page", { first: 3 });
    await warm(search);
    const told = await get(apps.storing, search, { authorization: "Bearer nonsense" });
    expect([told.status, told.headers["cache-control"]]).toEqual([401, "no-store"]);
  });

  it("A POST whose body is the URL of a GET is no GET.", async () => {
    const search = searchOf("page", { first: 3 });
    await warm(search);
    for (const body of [`/graphql${search}`, `GET /graphql${search}`]) {
      const answer = await fetch(apps.storing.url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      expect(answer.status).toBe(400);
    }
    const empty = await fetch(`${apps.storing.url}${search}`, { method: "POST" });
    expect(empty.status).toBe(400);
  });
});
