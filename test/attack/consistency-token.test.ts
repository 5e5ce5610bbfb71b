/**
 * Consistency tokens as an attacker sends them: none of them makes a warm cache ask Postgres, on
 * either transport or over a shared subscription; an honest one that bypasses the cache pays for it
 * and leaves nobody else's reads slower.
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureSecret } from "../../src/db/secrets.js";
import { MINUTE } from "../../src/domain/time/time.js";
import {
  type ConsistencyTokens,
  createConsistencyTokens,
} from "../../src/services/consistency-tokens.js";
import { connectSocket, type SocketClient } from "../server/websocket/socket-client.js";
import { ADMIN_TOKEN, type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { cacheIsUsed, metric, post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const FAR = "999999999999999";
const NOW_MS = Date.now();
const SIGNATURE = "A".repeat(22);

/** What an attacker sends, by what it tries. */
const FORGED: readonly (readonly [string, string])[] = [
  ["the token of the report", "0.999999999999999"],
  ["a bypass without a signature", `0.${NOW_MS + MINUTE}`],
  ["a bypass that could be true", `0.${NOW_MS + 10_000}.${SIGNATURE}`],
  ["a count of the future", FAR],
  ["a count beyond what a double holds", String(2 ** 53)],
  ["a count of the future, signed by nobody", `${FAR}.0.${SIGNATURE}`],
  ["both, signed by nobody", `${FAR}.${FAR}.${SIGNATURE}`],
  ["an empty signature", `${FAR}.${FAR}.`],
  ["a short signature", `${FAR}.${FAR}.AAAA`],
  ["a long signature", `${FAR}.${FAR}.${"A".repeat(86)}`],
  ["characters beside the alphabet", `${FAR}.${FAR}.${"+/".repeat(11)}`],
  ["negative parts", `-1.-1.${SIGNATURE}`],
  ["parts in another notation", `0x10.1e15.${SIGNATURE}`],
  ["a list of them", Array.from({ length: 50 }, () => `${FAR}.${FAR}.${SIGNATURE}`).join(",")],
  ["a header of 7 KB", `${FAR}.`.repeat(450)],
];

const PRODUCT =
  "query Product($id: ID!) { product(id: $id) { name stock category { name } brand { name } } }";
const WATCH =
  "subscription Watch($ids: [ID!]!) { productChanged(ids: $ids) { version product { name " +
  "stock } } }";
const ADJUST = "mutation Adjust($id: ID!) { adjustStock(id: $id, by: 1) { product { stock } } }";

let database: TestDatabase;
let app: RunningApp;
let other: RunningApp;
let id: string;
let tokens: ConsistencyTokens;
/** Signed by the shop, as the token of a write that could not be announced is. */
let bypass: string;
const sockets: SocketClient[] = [];

beforeAll(async () => {
  database = await seededDatabase(20);
  const shared = {
    database,
    keyPrefix: testRedis().prefix,
    env: { CACHE_TTL_MS: "600000", CACHE_DEADLINE_MS: "10000" },
  };
  // A worker orders popular lists anew as it starts, and they are loaded again.
  const alone = { ...shared, roles: { api: true, worker: false } };
  [app, other] = await Promise.all([startApp(alone), startApp(alone)]);
  await until("both to use the cache", async () =>
    (await Promise.all([app, other].map(({ url }) => cacheIsUsed(url)))).every(Boolean),
  );
  const { data } = await post(app.url, "{ products(first: 1) { edges { node { id } } } }");
  id = String(data.products!.edges![0]!.node!.id);
  tokens = createConsistencyTokens(
    await ensureSecret(
      database.database,
      "consistency tokens",
      randomBytes(32).toString("base64url"),
    ),
    Date.now,
  );
  bypass = tokens.write({ count: 0, bypassUntilMs: Date.now() + 10 * MINUTE });
  for (const { url } of [app, other]) await post(url, PRODUCT, { id });
});
afterAll(async () => {
  for (const { socket } of sockets) socket.terminate();
  await Promise.all([app?.close(), other?.close()]);
  await database?.close();
});

const loads = (): Promise<number> => metric(app.url, "souk_loads_total");
const connect = async (
  init: object = {},
  headers: Record<string, string> = {},
): Promise<SocketClient> => {
  const client = await connectSocket(app.wsUrl, init, { headers });
  sockets.push(client);
  return client;
};
const watch = async (client: SocketClient): Promise<void> => {
  client.send({
    id: "watch",
    type: "subscribe",
    payload: { query: WATCH, variables: { ids: [id] } },
  });
  expect(await client.next()).toMatchObject({
    type: "next",
    payload: { data: { productChanged: { product: {} } } },
  });
};

describe.each(FORGED)("A forged token: %s.", (_what, token) => {
  it("Requests over HTTP that carry it in the header or the cookie load nothing.", async () => {
    const before = await loads();
    const ways = [{ "souk-seen": token }, { cookie: `souk_seen=${token.replaceAll(",", "%2C")}` }];
    for (const headers of ways) {
      const { data, status } = await post(app.url, PRODUCT, { id }, { headers });
      expect([status, typeof data.product!.name]).toEqual([200, "string"]);
    }
    expect(await loads()).toBe(before);
  });

  it("Operations of a socket that carries it, in init or cookie, load nothing.", async () => {
    const before = await loads();
    for (const client of [
      await connect({ "souk-seen": token }),
      await connect({}, { cookie: `souk_seen=${token.replaceAll(",", "")}` }),
    ]) {
      const [answer] = await client.run({ query: PRODUCT, variables: { id } });
      expect(answer).toMatchObject({ type: "next", payload: { data: { product: {} } } });
    }
    expect(await loads()).toBe(before);
  });

  it("Subscribers that share a group with its holder cost no load.", async () => {
    await watch(await connect());
    const before = await loads();
    await watch(await connect({ "souk-seen": token }));
    await watch(await connect());
    expect(await loads()).toBe(before);
  });
});

interface Costs {
  readonly extensions?: { readonly cost?: { readonly requested: number; readonly actual: number } };
}
const costOf = ({ extensions }: Costs) => extensions?.cost;

describe("A token that we have signed", () => {
  it("A bypass reads Postgres for its own request alone, at ten times the price.", async () => {
    const plain = costOf((await post(app.url, PRODUCT, { id })) as Costs)!;
    const before = await loads();
    const own = costOf((await post(app.url, PRODUCT, { id }, { seen: bypass })) as Costs)!;
    expect(await loads()).toBeGreaterThan(before);
    expect(own).toMatchObject({ requested: plain.requested * 10, actual: plain.actual * 10 });
    const [answer] = await (await connect({ "souk-seen": bypass })).run({
      query: PRODUCT,
      variables: { id },
    });
    expect(costOf(answer!.payload as Costs)).toMatchObject({ requested: plain.requested * 10 });
    const after = await loads();
    expect(costOf((await post(app.url, PRODUCT, { id })) as Costs)).toMatchObject({
      requested: plain.requested,
    });
    expect(await loads()).toBe(after);
  });

  it("A bypass that has run out reads the cache at the plain price.", async () => {
    const ended = tokens.write({ count: 0, bypassUntilMs: Date.now() - MINUTE });
    const plain = costOf((await post(app.url, PRODUCT, { id })) as Costs)!;
    const before = await loads();
    expect(costOf((await post(app.url, PRODUCT, { id }, { seen: ended })) as Costs)).toMatchObject({
      requested: plain.requested,
    });
    expect(await loads()).toBe(before);
  });

  it("A bypass never reaches a shared subscription: none of its values is loaded.", async () => {
    await watch(await connect());
    const before = await loads();
    await watch(await connect({ "souk-seen": bypass }));
    await watch(await connect());
    expect(await loads()).toBe(before);
  });

  it("The token of a write keeps another process from reading an older value.", async () => {
    for (let round = 0; round < 10; round++) {
      const [writer, reader] = round % 2 ? [app, other] : [other, app];
      await post(reader.url, PRODUCT, { id });
      const { data, seen } = await post(writer.url, ADJUST, { id }, { token: ADMIN_TOKEN });
      expect(seen).toMatch(/^\d+\.0\.[\w-]{22}$/);
      const read = await post(reader.url, PRODUCT, { id }, { seen });
      expect(read.data.product!.stock).toBe(data.adjustStock!.product!.stock);
    }
  });
});
