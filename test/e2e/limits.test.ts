/**
 * What each may ask for over time, on real servers: what an answer says of it, who is refused, who
 * pays, and what a refusal costs.
 */

import { type AddressInfo, connect, createServer } from "node:net";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { CREDIT_MS } from "../../src/services/rate-limit/payer-credit.js";
import { ask, connectSocket } from "../server/websocket/socket-client.js";
import { SIGN_IN, signUp, whoIs } from "../support/accounts.js";
import { ADMIN_TOKEN, type AppOptions, type RunningApp, startApp } from "../support/app.js";
import { metric, post } from "../support/graphql.js";
import { startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(
  env: Record<string, string> = {},
  options: Partial<AppOptions> = {},
): Promise<RunningApp> {
  const app = await startApp({
    ...options,
    env: { LIMIT_COST: "100", ...env },
    products: 20,
    roles: { api: true, worker: false },
  });
  open.push(app);
  // Reading a new document costs something: here the service has paid for those that are counted.
  for (const query of DOCUMENTS)
    await raw(app.url, query, { variables: { first: 1 }, token: ADMIN_TOKEN });
  return app;
}

const LIST =
  "query List($first: Int!) { products(first: $first) { edges { node { id brand { name } } } } }";
const STATUS = "{ rateLimit { bucket limit remaining restorePerSecond resetAt } }";
const DOCUMENTS = [
  LIST,
  STATUS,
  "{ __typename }",
  "{ rateLimit { remaining } }",
  "{ rateLimit { bucket remaining } }",
];
/** Hardly anything comes back while a test runs. */
const SLOW = "0.001";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Everything an answer says. */
async function raw(
  url: string,
  query: string,
  { variables = {}, token = "" }: { variables?: object; token?: string } = {},
) {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as {
    data?: { rateLimit?: { bucket: string; limit: number; remaining: number }[] };
    errors?: { extensions: Record<string, unknown> }[];
    extensions?: { cost: Record<string, number> };
  };
  return { status: response.status, headers: response.headers, ...body };
}

describe("an answer", () => {
  it("It tells what was asked, its cost and what is left, in extensions and headers.", async () => {
    const app = await start({ LIMIT_ADDRESS_BURST: "1000", LIMIT_ADDRESS_PER_SECOND: SLOW });
    const { extensions, headers } = await raw(app.url, LIST, { variables: { first: 40 } });
    expect(extensions?.cost).toEqual({
      requested: 82,
      actual: 42,
      limit: 1000,
      remaining: 958,
      restorePerSecond: 0.001,
    });
    expect(headers.get("ratelimit-policy")).toMatch(
      /^"address";q=1000;w=1000000, "block";q=200000;w=20$/,
    );
    expect(headers.get("ratelimit")).toMatch(/^"address";r=958;t=\d+, "block";r=\d+;t=\d+$/);
    expect(headers.get("retry-after")).toBeNull();
  });

  it("An answer gives back what it did not cost, as rateLimit shows.", async () => {
    const app = await start({ LIMIT_ADDRESS_BURST: "1000", LIMIT_ADDRESS_PER_SECOND: SLOW });
    await raw(app.url, LIST, { variables: { first: 40 } });
    let left = 958;
    // Each look costs one.
    await until(
      "the rest to be given back",
      async () =>
        (await raw(app.url, "{ rateLimit { remaining } }")).data?.rateLimit?.[0]?.remaining ===
        --left,
    );
  });

  it("An answer over WebSocket reports the same, from the same bucket.", async () => {
    const app = await start({ LIMIT_ADDRESS_BURST: "1000", LIMIT_ADDRESS_PER_SECOND: SLOW });
    const client = await connectSocket(app.wsUrl);
    const { extensions } = (await ask(client, {
      query: LIST,
      variables: { first: 10 },
    })) as unknown as { extensions: { cost: object } };
    // The socket itself has cost one.
    expect(extensions.cost).toEqual({
      requested: 22,
      actual: 22,
      limit: 1000,
      remaining: 977,
      restorePerSecond: 0.001,
    });
    expect((await raw(app.url, "{ __typename }")).extensions?.cost.remaining).toBe(975);
    await client.close();
  });

  it("The field rateLimit names every bucket and costs the minimum.", async () => {
    const app = await start({ LIMIT_ADDRESS_BURST: "1000", LIMIT_ADDRESS_PER_SECOND: SLOW });
    for (let times = 1; times <= 3; times++) {
      const { data, extensions } = await raw(app.url, STATUS);
      expect(data?.rateLimit).toMatchObject([
        { bucket: "address", limit: 1000, remaining: 1000 - times, restorePerSecond: 0.001 },
        { bucket: "block", limit: 200_000 },
      ]);
      expect(extensions?.cost).toMatchObject({ requested: 1, actual: 1 });
    }
  });
});

describe("whoever asks for too much", () => {
  const TIGHT = { LIMIT_ADDRESS_BURST: "100", LIMIT_ADDRESS_PER_SECOND: "0.1" };

  it("They are told the bucket and the wait, over HTTP (429) and WebSocket alike.", async () => {
    const app = await start(TIGHT);
    const client = await connectSocket(app.wsUrl);
    await raw(app.url, LIST, { variables: { first: 20 } });
    const { status, headers, errors } = await raw(app.url, LIST, { variables: { first: 40 } });
    const { retryAfterMs, ...rest } = errors![0]!.extensions as { retryAfterMs: number };
    expect([status, rest]).toEqual([
      429,
      { code: "RATE_LIMITED", bucket: "address", requestId: expect.any(String) },
    ]);
    // 100 − 1 − 42 are left, 82 are asked for.
    expect(retryAfterMs).toBeGreaterThan(220_000);
    expect(retryAfterMs).toBeLessThanOrEqual(250_000);
    expect(headers.get("retry-after")).toBe(`${Math.ceil(retryAfterMs / 1_000)}`);
    expect(headers.get("ratelimit")).toMatch(
      new RegExp(`^"address";r=57;t=${Math.ceil(retryAfterMs / 1_000)}, "block"`),
    );
    const answer = await ask(client, { query: LIST, variables: { first: 40 } });
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: "RATE_LIMITED",
      bucket: "address",
      retryAfterMs: expect.any(Number),
    });
    await client.close();
  });

  it("A refusal consumes nothing, so cheaper operations still run.", async () => {
    const app = await start(TIGHT);
    await raw(app.url, LIST, { variables: { first: 20 } });
    for (let times = 0; times < 5; times++)
      expect((await raw(app.url, LIST, { variables: { first: 40 } })).status).toBe(429);
    expect((await raw(app.url, LIST, { variables: { first: 20 } })).extensions?.cost).toMatchObject(
      { requested: 42, remaining: 16 },
    );
  });

  it("Refused documents use up the bucket, whatever is wrong with them.", async () => {
    const app = await start({ ...TIGHT, LIMIT_ADDRESS_PER_SECOND: SLOW });
    const bad = [
      "{ nothing }",
      "{ products(",
      LIST.replace("$first: Int!", "$first: String!"),
      "query A { __typename } query B { __typename }",
      LIST,
    ];
    let asked = 0;
    await until("the flood to be refused", async () => {
      asked++;
      return (
        (await raw(app.url, bad[asked % bad.length]!, { variables: { first: 100 } })).status === 429
      );
    });
    expect(asked).toBeLessThanOrEqual(13);
  });

  it("Others keep what is theirs: each user has a bucket, and so has the service.", async () => {
    const app = await start(TIGHT);
    const { token } = await signUp(app.url);
    await until(
      "the address to be empty",
      async () => (await raw(app.url, LIST, { variables: { first: 40 } })).status === 429,
    );
    while ((await raw(app.url, "{ __typename }")).status !== 429);
    expect((await raw(app.url, "{ viewer { email } }", { token: ADMIN_TOKEN })).status).toBe(200);
    expect(
      (await raw(app.url, LIST, { variables: { first: 40 }, token: ADMIN_TOKEN })).status,
    ).toBe(200);
    expect((await raw(app.url, LIST, { variables: { first: 40 }, token })).status).toBe(200);
  });

  it("Fifteen sign-ins in one document count as fifteen.", async () => {
    const app = await start({
      LIMIT_SIGN_IN_BURST: "20",
      LIMIT_SIGN_IN_PER_SECOND: SLOW,
      LIMIT_COST: "1000",
    });
    const one =
      'signIn(input: { email: "nobody@test.example", password: "a password", deliver: TOKEN ' +
      "}) { errors { code } }";
    const many = (count: number) =>
      `mutation { ${Array.from({ length: count }, (_, at) => `a${at}: ${one}`).join(" ")} }`;
    expect((await raw(app.url, many(15))).errors?.[0]?.extensions.bucket).toBeUndefined();
    expect((await raw(app.url, many(6))).errors?.[0]?.extensions).toMatchObject({
      code: "RATE_LIMITED",
      bucket: "signIn",
    });
    expect((await raw(app.url, many(5))).errors?.[0]?.extensions.bucket).not.toBe("signIn");
  });
});

describe("the token of somebody else", () => {
  it("An invalid token pays as its address and answers 401, at nobody else's cost.", async () => {
    const app = await start({
      LIMIT_VIEWER_BURST: "100",
      LIMIT_VIEWER_PER_SECOND: SLOW,
      LIMIT_ADDRESS_BURST: "1000",
      LIMIT_ADDRESS_PER_SECOND: SLOW,
    });
    const { token } = await signUp(app.url);
    const before = (await raw(app.url, "{ __typename }", { token })).extensions!.cost.remaining!;
    const forged = `${token.split(".")[0]}.${"x".repeat(43)}`;
    for (let times = 0; times < 5; times++) {
      const { status, errors } = await raw(app.url, LIST, {
        variables: { first: 40 },
        token: forged,
      });
      expect([status, errors?.[0]?.extensions.code]).toEqual([401, "UNAUTHENTICATED"]);
    }
    expect((await raw(app.url, "{ __typename }", { token })).extensions?.cost.remaining).toBe(
      before - 2,
    );
    expect(
      (await raw(app.url, "{ rateLimit { bucket remaining } }")).data?.rateLimit?.[0],
    ).toMatchObject({ bucket: "address" });
    expect(
      (await raw(app.url, "{ rateLimit { bucket remaining } }")).data?.rateLimit?.[0]?.remaining,
    ).toBeLessThanOrEqual(1000 - 50);
  });

  it("A revoked token takes nothing either: what it took at first is given back.", async () => {
    const app = await start({ LIMIT_VIEWER_BURST: "100", LIMIT_VIEWER_PER_SECOND: SLOW });
    const { token, ...account } = await signUp(app.url);
    const { data } = await post(app.url, SIGN_IN, {
      input: { email: account.email, password: account.password, deliver: "TOKEN" },
    });
    const other = String(data.signIn!.token);
    await raw(app.url, "{ __typename }", { token });
    await post(app.url, "mutation { revokeOtherSessions { revoked } }", {}, { token: other });
    const before = (await raw(app.url, "{ __typename }", { token: other })).extensions!.cost
      .remaining!;
    expect((await raw(app.url, LIST, { variables: { first: 30 }, token })).status).toBe(401);
    let left = before;
    await until(
      "it to be given back",
      async () =>
        (await raw(app.url, "{ rateLimit { remaining } }", { token: other })).data?.rateLimit?.[0]
          ?.remaining === --left,
    );
  });
});

describe("what it takes", () => {
  async function startAlone(env: Record<string, string> = {}) {
    const redis = await startRedisServer();
    open.push({ close: () => redis.stop() });
    const app = await start(env, { redisUrl: redis.url, keyPrefix: "" });
    const link = new Redis(redis.url);
    open.push({ close: async () => link.disconnect() });
    /** Scripts run so far: nothing else of a running process runs any. */
    const scripts = async () => {
      const stats = await link.info("commandstats");
      return [...stats.matchAll(/cmdstat_evalsha?:calls=(\d+)/g)].reduce(
        (sum, [, calls]) => sum + Number(calls),
        0,
      );
    };
    return { app, scripts };
  }

  /** What arrives at Redis, write by write: those that hold scripts, with how many. */
  async function startWatched(): Promise<{ app: RunningApp; writes: () => readonly number[] }> {
    const redis = await startRedisServer();
    open.push({ close: () => redis.stop() });
    const writes: number[] = [];
    const proxy = createServer((client) => {
      const server = connect(redis.port, "127.0.0.1");
      client.on("data", (chunk) =>
        writes.push(chunk.toString("latin1").toLowerCase().split("evalsha").length - 1),
      );
      client.pipe(server).pipe(client);
      for (const [end, other] of [
        [client, server],
        [server, client],
      ] as const)
        end.on("error", () => other.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    open.push({ close: async () => proxy.close() });
    const app = await start(
      { LIMIT_COST: "200" },
      { redisUrl: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`, keyPrefix: "" },
    );
    return { app, writes: () => writes.splice(0).filter((scripts) => scripts > 0) };
  }

  it("Session and limit are one write together, once a process knows the token.", async () => {
    const { app, writes } = await startWatched();
    const { token } = await signUp(app.url);
    for (let times = 0; times < 3; times++) await raw(app.url, "{ __typename }", { token });
    await pause(3 * CREDIT_MS);
    writes();
    await raw(app.url, "{ __typename }", { token });
    // The session with the epochs, and the limit.
    expect(writes()).toEqual([2]);
  });

  it("A busy client pays for mutations of exact cost by credit, no more than they cost.", async () => {
    const app = await start({ LIMIT_VIEWER_BURST: "5000", LIMIT_VIEWER_PER_SECOND: SLOW });
    const { token } = await signUp(app.url);
    const view = `mutation { trackView(productId: "${encodeId("Product", 1)}") { errors { code } } }`;
    const status = "{ rateLimit { remaining } }";
    const remaining = async (): Promise<number> =>
      (await raw(app.url, status, { token })).data?.rateLimit?.[0]?.remaining ?? 0;
    await raw(app.url, view, { token });
    let left = await remaining();
    for (let times = 0; times < 60; times += 1) {
      const { status, extensions } = await raw(app.url, view, { token });
      expect(status).toBe(200);
      left -= extensions?.cost?.actual ?? 0;
    }
    expect(
      await metric(app.url, "souk_limit_requests_total", 'bucket="viewer",outcome="admitted here"'),
    ).toBeGreaterThan(10);
    await until("the credit to be given back", async () => {
      // Each look costs one.
      left -= 1;
      return (await remaining()) === left;
    });
  });

  it.each([
    ["addToCart", "(productId: $id, quantity: 1) { cart { quantity } errors { code } }"],
    ["setCartLine", "(productId: $id, quantity: 2) { cart { quantity } errors { code } }"],
    ["trackView", "(productId: $id) { errors { code } }"],
  ])("%s takes three scripts in two round trips, and gives nothing back.", async (name, rest) => {
    const { app, writes } = await startWatched();
    const { token } = await signUp(app.url);
    const query = `mutation ($id: ID!) { ${name}${rest} }`;
    const asked = { variables: { id: encodeId("Product", 3) }, token };
    const restock = "mutation ($id: ID!) { adjustStock(id: $id, by: 100) { errors { code } } }";
    await raw(app.url, restock, { ...asked, token: ADMIN_TOKEN });
    for (let times = 0; times < 3; times++) await raw(app.url, query, asked);
    // What is shown of it is published meanwhile; the fewest of some tries are its own.
    const tries: (readonly number[])[] = [];
    for (let times = 0; times < 5; times += 1) {
      // Asked now and then, it is not paid by credit.
      await pause(3 * CREDIT_MS);
      writes();
      const { data, extensions } = await raw(app.url, query, asked);
      expect(data).toMatchObject({ [name]: { errors: [] } });
      expect(extensions?.cost.actual).toBe(extensions?.cost.requested);
      tries.push(writes());
    }
    expect(tries).toContainEqual([2, 1]);
  });

  it("A flood that is refused from memory sends no command to Redis.", async () => {
    const { app, scripts } = await startAlone({
      LIMIT_ADDRESS_BURST: "100",
      LIMIT_ADDRESS_PER_SECOND: SLOW,
    });
    while ((await raw(app.url, LIST, { variables: { first: 40 } })).status !== 429);
    while ((await raw(app.url, "{ __typename }")).status !== 429);
    const remembered = await metric(app.url, "souk_limit_requests_total", 'outcome="refused here"');
    await until("credit to be given back", async () => {
      const sent = await scripts();
      await pause(3 * CREDIT_MS);
      return (await scripts()) === sent;
    });
    // The scrape itself runs scripts: it asks what piles up.
    const before = await scripts();
    const startedAt = performance.now();
    const flood = await Promise.all(
      Array.from({ length: 200 }, () => raw(app.url, LIST, { variables: { first: 40 } })),
    );
    expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([429]));
    const asked = (await scripts()) - before;
    // One asker a second is let through, however many there are.
    const mostAsked = Math.ceil((performance.now() - startedAt) / 1_000);
    expect(asked).toBeLessThanOrEqual(mostAsked);
    expect(
      await metric(app.url, "souk_limit_requests_total", 'outcome="refused here"'),
    ).toBeGreaterThanOrEqual(remembered + 200 - mostAsked);
  });
});

describe("while Redis is away", () => {
  it("Each process counts its share, serves public fields, and no viewer as null.", async () => {
    const redis = await startRedisServer();
    open.push({ close: () => redis.stop() });
    const app = await start(
      { LIMIT_ADDRESS_BURST: "400", LIMIT_ADDRESS_PER_SECOND: SLOW, LIMIT_PROCESSES: "4" },
      { redisUrl: redis.url, keyPrefix: "" },
    );
    const { token, email, password } = await signUp(app.url);
    expect(await whoIs(app.url, token)).toBe(email);
    await redis.kill();
    const first = await raw(app.url, LIST, { variables: { first: 10 } });
    expect([first.status, first.extensions?.cost]).toEqual([
      200,
      { requested: 22, actual: 22, limit: 100, remaining: 78, restorePerSecond: 0.001 / 4 },
    ]);
    expect(await whoIs(app.url, token)).toBe("SERVICE_UNAVAILABLE");
    const { errors } = await post(app.url, SIGN_IN, {
      input: { email, password, deliver: "TOKEN" },
    });
    expect(errors?.[0]?.extensions.code).toBe("SERVICE_UNAVAILABLE");
    let served = 0;
    while ((await raw(app.url, LIST, { variables: { first: 10 } })).status === 200) served++;
    expect(served).toBeLessThanOrEqual(3);
    await redis.restart();
    await until(
      "Redis to be asked again",
      async () =>
        (await raw(app.url, "{ rateLimit { limit } }")).data?.rateLimit?.[0]?.limit === 400,
    );
  });

  it("A lost Redis of the limiter's own keeps nobody from signing in.", async () => {
    const redis = await startRedisServer();
    open.push({ close: () => redis.stop() });
    const app = await start({ LIMITER_REDIS_URL: redis.url });
    expect((await raw(app.url, "{ __typename }")).extensions?.cost.requested).toBe(2);
    await redis.kill();
    const { token, email } = await signUp(app.url);
    expect(await whoIs(app.url, token)).toBe(email);
  });
});
