/** Counting what people do with products, as clients see it. */
import { randomUUID } from "node:crypto";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { encodeId } from "../../src/domain/ids.js";
import { signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { patiently, post } from "../support/graphql.js";
import { testRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const STATS =
  "views viewsToday uniqueViewers { estimate exact standardError } likes shares likedByViewer";
const PAYLOAD = `{ product { id stats { views } } stats { ${STATS} } errors { code field } }`;
const VIEW = `mutation View($id: ID!, $op: ID) {
  trackView(productId: $id, operationId: $op) ${PAYLOAD}
}`;
const SHARE = `mutation Share($id: ID!, $op: ID) {
  share(productId: $id, operationId: $op) ${PAYLOAD}
}`;
const LIKE = `mutation Like($id: ID!) { like(productId: $id) ${PAYLOAD} }`;
const UNLIKE = `mutation Unlike($id: ID!) { unlike(productId: $id) ${PAYLOAD} }`;

interface StatsEvent {
  readonly productStatsChanged: { readonly stats: Stats };
}
interface Stats {
  readonly views: number;
  readonly viewsToday: number;
  readonly uniqueViewers: {
    readonly estimate: number;
    readonly exact: boolean;
    readonly standardError: number;
  };
  readonly likes: number;
  readonly shares: number;
  readonly likedByViewer: boolean;
}

interface Payload {
  readonly stats: Stats | null;
  readonly errors: readonly { readonly code: string; readonly field: readonly string[] }[];
}

const place = testRedis();
let app: RunningApp;
let other: RunningApp;
let products = 0;
beforeAll(async () => {
  // A crowd from one address, which nothing here limits.
  const env = {
    COUNTERS_FLUSH_MS: "50",
    POPULARITY_MS: "50",
    LIMIT_ADDRESS_BURST: "1000000",
    LIMIT_BLOCK_BURST: "1000000",
  };
  app = await startApp({ products: 200, keyPrefix: place.prefix, env });
  other = await startApp({
    database: app.database,
    keyPrefix: place.prefix,
    roles: { api: true, worker: false },
    env,
  });
});
afterAll(async () => {
  await other?.close();
  await app?.close();
});

/** A product that no other test touches. */
const fresh = (): string => encodeId("Product", ++products);

interface Asking {
  readonly token?: string;
  readonly guest?: string;
  /** A new one where none is given; null sends none. */
  readonly op?: string | null;
  readonly at?: RunningApp;
}

/**
 * Sends a mutation, again while it is unavailable if that is safe: under an operation id it counts
 * once.
 */
async function send(
  query: string,
  id: string,
  { token, guest, op = randomUUID(), at = app }: Asking = {},
): Promise<Sent> {
  const headers = guest ? { "souk-guest": guest } : {};
  const ask = () => post(at.url, query, { id, op }, { ...(token ? { token } : {}), headers });
  const answer = op === null ? await ask() : await patiently(ask);
  if (answer.errors?.[0]) throw new Error(answer.errors[0].extensions.code);
  return { ...(Object.values(answer.data)[0] as unknown as Payload), guest: answer.guest };
}

type Sent = Payload & { readonly guest: string | null };

async function stats(id: string, { token, at = app }: Asking = {}): Promise<Stats> {
  const { data } = await post(
    at.url,
    `query Stats($id: ID!) { product(id: $id) { stats { ${STATS} } } }`,
    { id },
    token ? { token } : {},
  );
  return data.product!.stats as unknown as Stats;
}

describe("a view", () => {
  it("A view counts once per viewer and window, for guests and users, everywhere.", async () => {
    const id = fresh();
    const before = await stats(id);
    const first = await send(VIEW, id);
    expect(first.stats).toMatchObject({
      views: before.views + 1,
      viewsToday: before.viewsToday + 1,
    });
    expect(first.stats!.uniqueViewers).toEqual({
      estimate: before.uniqueViewers.estimate + 1,
      exact: true,
      standardError: 0,
    });
    await send(VIEW, id, { guest: first.guest!, at: other });
    const { token } = await signUp(app.url);
    await send(VIEW, id, { token });
    await send(VIEW, id, { token, at: other });
    for (const at of [app, other])
      expect(await stats(id, { at })).toMatchObject({ views: before.views + 2 });
  });

  it("A view counts once per operation id, also for a guest who shows no token.", async () => {
    const id = fresh();
    const { views } = await stats(id);
    for (let time = 0; time < 3; time++) await send(VIEW, id, { op: "the same" });
    expect((await stats(id)).views).toBe(views + 1);
    await send(VIEW, id, { op: "another" });
    expect((await stats(id)).views).toBe(views + 2);
  });
});

describe("a share", () => {
  it("A share counts each time, and once per operation id.", async () => {
    const id = fresh();
    const { shares } = await stats(id);
    const { guest } = await send(SHARE, id, { op: null });
    await send(SHARE, id, { guest: guest!, op: null });
    for (let time = 0; time < 3; time++) await send(SHARE, id, { op: "the same" });
    expect((await stats(id)).shares).toBe(shares + 3);
  });
});

describe("a like", () => {
  it("A second like changes nothing, and neither does a second unlike.", async () => {
    const id = fresh();
    const [ada, bob] = [await signUp(app.url), await signUp(app.url)];
    expect((await send(LIKE, id, ada)).stats).toMatchObject({ likes: 1, likedByViewer: true });
    expect((await send(LIKE, id, ada)).stats).toMatchObject({ likes: 1 });
    expect((await send(LIKE, id, { token: bob.token, at: other })).stats).toMatchObject({
      likes: 2,
    });
    await Promise.all(Array.from({ length: 5 }, () => send(UNLIKE, id, ada)));
    expect((await send(UNLIKE, id, ada)).stats).toMatchObject({ likes: 1, likedByViewer: false });
    expect(await stats(id, bob)).toMatchObject({ likes: 1, likedByViewer: true });
    expect(await stats(id)).toMatchObject({ likedByViewer: false });
  });

  it("Simultaneous likes of several users are as many likes.", async () => {
    const id = fresh();
    const people = await Promise.all(Array.from({ length: 8 }, () => signUp(app.url)));
    await Promise.all(people.flatMap((person) => [send(LIKE, id, person), send(LIKE, id, person)]));
    expect(await stats(id)).toMatchObject({ likes: 8 });
  });

  it("Only signed-in users like a product.", async () => {
    for (const token of [undefined, app.adminToken])
      for (const query of [LIKE, UNLIKE])
        await expect(send(query, fresh(), token ? { token } : {})).rejects.toThrow(
          "UNAUTHENTICATED",
        );
  });
});

describe("what cannot be counted", () => {
  it.each([
    ["an id of another type", encodeId("Brand", 1), "INVALID"],
    ["an invalid id", "UHJvZHVjdDotMQ", "INVALID"],
    ["a product that never existed", encodeId("Product", 999_999), "NOT_FOUND"],
  ])("A view, share or like for %s is refused and counts nothing.", async (_what, id, code) => {
    const { token } = await signUp(app.url);
    for (const query of [VIEW, SHARE, LIKE, UNLIKE])
      expect(await send(query, id, { token })).toMatchObject({
        product: null,
        stats: null,
        errors: [{ code, field: ["productId"] }],
      });
  });

  it("A view of a removed product is refused and makes no guest.", async () => {
    const id = fresh();
    await post(
      app.url,
      "mutation Remove($id: ID!) { removeProduct(id: $id) { errors { code } } }",
      { id },
      { token: app.adminToken },
    );
    const { token } = await signUp(app.url);
    for (const query of [VIEW, SHARE, LIKE, UNLIKE])
      expect((await send(query, id, { token })).errors).toEqual([
        { code: "PRODUCT_REMOVED", field: ["productId"] },
      ]);
    expect((await send(VIEW, id)).guest).toBeNull();
  });

  it("An operation id has 1 to 128 characters.", async () => {
    const id = fresh();
    for (const [op, code] of [
      ["", "REQUIRED"],
      ["x".repeat(129), "TOO_LONG"],
    ] as const)
      expect((await send(VIEW, id, { op })).errors).toEqual([{ code, field: ["operationId"] }]);
  });

  it.each([0, -1, 91, 2 ** 31 - 1])("Statistics of %i days are refused.", async (days) => {
    const { errors } = await post(
      app.url,
      "query Days($id: ID!, $days: Int) { product(id: $id) { stats { daily(days: $days) { " +
        "day } } } }",
      {
        id: encodeId("Product", 1),
        days,
      },
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: ["days"] });
  });
});

describe("days and months", () => {
  it("Days and months hold what happened in them, the last one today.", async () => {
    const id = fresh();
    const { token } = await signUp(app.url);
    await send(VIEW, id, { token });
    await send(VIEW, id);
    await send(SHARE, id);
    await send(LIKE, id, { token });
    const { data } = await post(
      app.url,
      `query Spans($id: ID!) { product(id: $id) { stats {
        week: daily { day views shares likes uniqueViewers { estimate } }
        all: daily(days: 90) { day }
        monthly(months: 2) { month views likes }
      } } }`,
      { id },
    );
    const { week, all, monthly } = data.product!.stats as unknown as Record<
      string,
      readonly { day: string; month: string }[]
    >;
    const today = new Date().toISOString().slice(0, 10);
    expect([week!.length, all!.length, monthly!.length]).toEqual([7, 90, 2]);
    expect(week!.at(-1)).toEqual({
      day: today,
      views: 2,
      shares: 1,
      likes: 1,
      uniqueViewers: { estimate: 2 },
    });
    expect(week![0]).toMatchObject({
      views: 0,
      shares: 0,
      likes: 0,
      uniqueViewers: { estimate: 0 },
    });
    expect(new Set(all!.map(({ day }) => day)).size).toBe(90);
    expect(monthly!.at(-1)).toEqual({ month: today.slice(0, 7), views: 2, likes: 1 });
  });
});

describe("the popular ones", () => {
  it("Popular products are soon listed by views, likes and shares.", async () => {
    const id = fresh();
    for (let time = 0; time < 200; time++) await send(SHARE, id);
    const first = async (): Promise<unknown> => {
      const { data } = await post(
        other.url,
        "{ products(sort: POPULAR, first: 1) { edges { node { id } } } }",
      );
      return data.products!.edges![0]!.node!.id;
    };
    await until("the product to lead", async () => (await first()) === id);
  });
});

describe("activity", () => {
  it("Activity counts each active user once and is shown to admins.", async () => {
    const REPORT =
      "{ activity(days: 1) { days { day daily weekly monthly } retention { week users " +
      "returned } } }";
    const daily = async (): Promise<number> => {
      const { data } = await post(app.url, REPORT, {}, { token: app.adminToken });
      return Number(data.activity!.days![0]!.daily);
    };
    const before = await daily();
    const { token } = await signUp(app.url);
    await post(other.url, "{ viewer { email } }", {}, { token });
    await until("the user to be counted", async () => (await daily()) === before + 1);
    expect((await post(app.url, REPORT)).errors?.[0]?.extensions.code).toBe("UNAUTHENTICATED");
    expect((await post(app.url, REPORT, {}, { token })).errors?.[0]?.extensions.code).toBe(
      "FORBIDDEN",
    );
    for (const days of [0, -3, 91]) {
      const { errors } = await post(
        app.url,
        `{ activity(days: ${days}) { days { day } } }`,
        {},
        { token: app.adminToken },
      );
      expect(errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: ["days"] });
    }
  });
});

describe("a subscriber", () => {
  it("It gets counters at once, and after changes elsewhere, including the last.", async () => {
    const id = fresh();
    const client = createClient({ url: other.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
    const query =
      "subscription Watch($id: ID!) { productStatsChanged(productId: $id) { stats { " +
      "views shares likes } } }";
    const messages = client.iterate<StatsEvent>({ query, variables: { id } });
    const next = async (): Promise<Stats> =>
      (await messages.next()).value.data.productStatsChanged.stats;
    const first = await next();
    for (let time = 0; time < 20; time++) await send(SHARE, id);
    const { token } = await signUp(app.url);
    let last = await next();
    while (last.shares < first.shares + 20) last = await next();
    await send(LIKE, id, { token });
    while (last.likes < 1) last = await next();
    expect(last).toEqual({ views: first.views, shares: first.shares + 20, likes: 1 });
    await client.dispose();
  });

  it("It gets ten messages a second at most, from any process, and the last value.", async () => {
    const id = fresh();
    const { shares } = await stats(id);
    const client = createClient({ url: app.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
    const query =
      "subscription Watch($id: ID!) { productStatsChanged(productId: $id) { stats { " +
      "shares } } }";
    const startMs = performance.now();
    const counting = (async () => {
      for (let turn = 0; turn < 20; turn++)
        await Promise.all(
          Array.from({ length: 40 }, (_, at) => send(SHARE, id, { at: at % 2 ? app : other })),
        );
    })();
    let messages = 0;
    for await (const { data } of client.iterate<StatsEvent>({
      query,
      variables: { id },
    })) {
      messages += 1;
      if (data?.productStatsChanged.stats.shares === shares + 800) break;
    }
    expect(messages).toBeLessThanOrEqual((performance.now() - startMs) / 100 + 2);
    await counting;
    await client.dispose();
  });

  it("A subscription to the stats of no product gets an error.", async () => {
    const client = createClient({ url: app.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
    const query =
      "subscription Watch($id: ID!) { productStatsChanged(productId: $id) { stats { " +
      "views } } }";
    for (const id of [encodeId("Brand", 1), encodeId("Product", 999_999)]) {
      const { value } = await client.iterate({ query, variables: { id } }).next();
      expect(JSON.stringify(value.errors)).toContain("BAD_USER_INPUT");
    }
    await client.dispose();
  });
});
