/** Documents that clients name by hash, in the Redis that processes share. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningApp, seededDatabase, startApp } from "../support/app.js";
import type { Answer } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";
import { keysBelow, openRedis, type PrivateRedis, startRedis } from "../support/redis-topology.js";
import { until } from "../support/until.js";

let redis: PrivateRedis;
let database: TestDatabase;
let apps: [RunningApp, RunningApp];
beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), seededDatabase(20)]);
  const options = { database, redisUrl: redis.url, keyPrefix: testRedis().prefix };
  apps = [await startApp(options), await startApp(options)];
});
afterAll(async () => {
  for (const app of apps ?? []) await app.close();
  await database?.close();
  await redis?.stop();
});

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
const apq = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: hashOf(text) } });

async function send({ url }: RunningApp, body: object): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Answer;
}
const codeOf = ({ errors }: Answer) => errors?.[0]?.extensions.code;

it("A document sent to one process is found by all, under its hash alone.", async () => {
  const [here, there] = apps;
  const query = "query Shared { products(first: 1) { totalCount } }";
  expect(codeOf(await send(there, { extensions: apq(query) }))).toBe("PERSISTED_QUERY_NOT_FOUND");
  await send(here, { query, extensions: apq(query) });
  // The answer does not wait for the document to be kept, and a late Redis finds nothing: clients
  // send it whole then.
  for (const parameters of [
    { extensions: apq(query) },
    { documentId: `sha256:${hashOf(query)}` },
  ]) {
    const answer = await until("the document to be known", async () => {
      const found = await send(there, parameters);
      return codeOf(found) === "PERSISTED_QUERY_NOT_FOUND" ? null : found;
    });
    expect(answer.data).toEqual({ products: { totalCount: 20 } });
  }
});

it("While Redis is down a process runs the documents that it has seen.", async () => {
  const [here, there] = apps;
  const [seen, unseen] = [
    "query Seen { products(first: 1) { totalCount } }",
    "query Unseen { products(first: 1) { totalCount } }",
  ];
  await send(here, { query: seen, extensions: apq(seen) });
  await redis.kill();
  expect((await send(here, { extensions: apq(seen) })).data).toEqual({
    products: { totalCount: 20 },
  });
  expect(codeOf(await send(there, { extensions: apq(unseen) }))).toBe("PERSISTED_QUERY_NOT_FOUND");
  expect((await send(there, { query: unseen, extensions: apq(unseen) })).data).toEqual({
    products: { totalCount: 20 },
  });
  expect((await send(there, { extensions: apq(unseen) })).data).toEqual({
    products: { totalCount: 20 },
  });
  await redis.restart();
});

it("A document that is sent again with its hash is kept again, also where its answer is stored.", async () => {
  const [here, there] = apps;
  const query = "query Again { products(first: 2) { totalCount } }";
  const registration = { query, extensions: apq(query) };
  const link = openRedis(redis.url);
  // The process may have left Redis alone until now.
  const keys = await until("the document to be kept", async () => {
    await send(here, registration);
    const kept = await keysBelow(link, "*document");
    return kept.length > 0 ? kept : null;
  });
  for (let times = 0; times < 8; times += 1) await send(here, registration);
  for (const key of keys) await link.del(key);
  link.disconnect();
  for (let times = 0; times < 8; times += 1) await send(here, registration);
  await until("the document to be known", async () => {
    const found = await send(there, { extensions: apq(query) });
    return found.data?.products;
  });
});
