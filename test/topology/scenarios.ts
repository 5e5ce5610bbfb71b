/**
 * One day of the shop on two processes over one Redis, whatever its topology: sign-in, sessions,
 * limits, carts, boards, counters, notifications and subscriptions. Each topology has a test file
 * that runs all of it; the drill runs the end-to-end suites too.
 */
import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { connectSocket, type SocketClient } from "../server/websocket/socket-client.js";
import { type SignedIn, signIn, signUp, whoIs } from "../support/accounts.js";
import { type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { CART_CHANGED, contentsOf, createBuyer, type SeenCart } from "../support/buyers.js";
import { type Answer, metric, patiently, post, readyz } from "../support/graphql.js";
import { follow, send } from "../support/notifications.js";
import type { TestDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";
import { until } from "../support/until.js";

/** Two processes of the shop on the Redis under test. */
export interface Fleet {
  readonly apps: () => readonly [RunningApp, RunningApp];
  readonly database: () => TestDatabase;
}

const ROOMY = Object.fromEntries([
  ...["FREE", "ACCOUNT_FREE", "ADDRESS_MAX", "NETWORK_MAX"].map((name) => [
    `SIGN_IN_${name}`,
    "1000",
  ]),
  ...["VIEWER", "ADDRESS", "BLOCK"].map((bucket) => [`LIMIT_${bucket}_BURST`, "1000000"]),
]);
const AT_ONCE = 300;
const ONE_BY_ONE = 64;
const ACCOUNTS = 12;
/** For a test that repeats rounds until one is not disturbed by the machine. */
export const PATIENT_MS = 150_000;

/** Starts the two processes before the tests of the file, and ends them after. */
export function startFleet(redisUrl: () => string): Fleet {
  let database: TestDatabase;
  let apps: [RunningApp, RunningApp];
  beforeAll(async () => {
    database = await seededDatabase(20);
    await database.database.query(sql`UPDATE products SET stock = 100000 WHERE id <= 5`);
    const options = {
      database,
      redisUrl: redisUrl(),
      keyPrefix: testRedis().prefix,
      // Answers that report on the cache are never stored.
      env: { ...ROOMY, HEARTBEAT_MS: "200", CONFLATION_MS: "1", CACHE_REPORT: "request" },
    };
    apps = [await startApp(options), await startApp(options)];
    for (const { url } of apps)
      await until("the shop to be well", async () => (await readyz(url)).status === "ok");
  });
  afterAll(async () => {
    for (const app of apps ?? []) await app.close();
    await database?.close();
  });
  return { apps: () => apps, database: () => database };
}

/** Runs `count` requests of signed-in clients, `width` at once; the codes of what failed. */
export async function signedInRequests(
  { apps }: Fleet,
  accounts: readonly SignedIn[],
  { count, width }: { count: number; width: number },
) {
  const failed: string[] = [];
  await inParallel(count, width, async (at) => {
    const { data, errors } = await post(
      apps()[at % 2]!.url,
      VIEWER,
      {},
      { token: accounts[at % accounts.length]!.token },
    );
    if (errors || !data?.viewer) failed.push(errors?.[0]?.extensions.code ?? "no viewer");
  });
  return failed;
}

/** Runs `count` pieces of work, at most `width` of them at once. */
async function inParallel(
  count: number,
  width: number,
  work: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, one));
}

/**
 * Repeats a round until it is clean, narrower each time: on a busy machine some of many requests at
 * once are late, and a late one may fail. A command that goes to a wrong node fails in rounds of
 * every width.
 */
function onceClean<T>(
  round: (width: number) => Promise<T | null | false>,
): Promise<NonNullable<T>> {
  let width = AT_ONCE * 3;
  const narrower = (): number => {
    width = Math.max(2, Math.ceil(width / 3));
    return width;
  };
  return until("a round without a late reply", () => round(narrower()), PATIENT_MS) as Promise<
    NonNullable<T>
  >;
}

const VIEWER =
  "{ viewer { email } cart { version } products(first: 2) { edges { node { name stats { " +
  "views } } } } }";
const PRODUCT = encodeId("Product", 1);
const OTHER = encodeId("Product", 2);

/** Declares the tests. */
export function describeShop(fleet: Fleet, redisUrl: () => string): void {
  const urls = (): [string, string] => [fleet.apps()[0].url, fleet.apps()[1].url];
  describeRequests(fleet, urls);
  describeLimits(fleet, redisUrl);
  describeOwned(fleet, urls);
  describeLive(fleet, urls);
}

function describeRequests(fleet: Fleet, urls: () => [string, string]): void {
  it(
    "Requests of signed-in clients all succeed, one after another and at once.",
    async () => {
      const accounts = await Promise.all(
        Array.from({ length: ACCOUNTS }, (_, at) => signUp(urls()[at % 2]!)),
      );
      const clean = async (count: number, width: number) => {
        const before = await Promise.all(urls().map(limitedAlone));
        const failed = await signedInRequests(fleet, accounts, { count, width });
        return (
          failed.length === 0 &&
          String(await Promise.all(urls().map(limitedAlone))) === String(before)
        );
      };
      await onceClean(() => clean(ONE_BY_ONE, 1));
      await onceClean((width) => clean(AT_ONCE, width));
      for (const url of urls())
        await until("every part to be well", async () => (await readyz(url)).status === "ok");
    },
    PATIENT_MS,
  );

  it("Public answers come from the store of each process, and a change ends them.", async () => {
    const [here] = fleet.apps();
    const id = encodeId("Product", 6);
    const query = `{ product(id: "${id}") { name stock } }`;
    const read = async (url: string, seen?: string) => {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(seen && { "souk-seen": seen }) },
        body: JSON.stringify({ query }),
      });
      const { data } = (await answer.json()) as Pick<Answer, "data">;
      const isStored = answer.headers.get("cache-status") === "souk; hit";
      return { isStored, stock: Number(data?.product?.stock) };
    };
    for (let round = 0; round < 3; round += 1) {
      for (const url of urls())
        await until("a stored answer", async () => (await read(url)).isStored);
      const ADJUST =
        `mutation { adjustStock(id: "${id}", by: 1, operationId: "${randomUUID()}") { product { ` +
        "stock } errors { code } } }";
      const { data, seen } = await patiently(() =>
        post(here.url, ADJUST, {}, { token: here.adminToken }),
      );
      const stock = Number(data.adjustStock!.product!.stock);
      for (const url of urls()) expect((await read(url, seen ?? "")).stock).toBe(stock);
      for (const url of urls())
        await until("a client without a token", async () => (await read(url)).stock === stock);
    }
  });

  it("A session that is revoked on one process is dead on both, with its sockets.", async () => {
    const [here, there] = fleet.apps();
    const account = await signUp(here.url);
    const token = await signIn(there.url, account);
    const socket = await connectSocket(there.wsUrl, { authorization: `Bearer ${token}` });
    expect([await whoIs(here.url, token), await whoIs(there.url, token)]).toEqual([
      account.email,
      account.email,
    ]);
    const REVOKE = "mutation { revokeOtherSessions { revoked errors { code } } }";
    await patiently(() => post(here.url, REVOKE, {}, { token: account.token }));
    expect([await whoIs(here.url, token), await whoIs(there.url, token)]).toEqual([
      "UNAUTHENTICATED",
      "UNAUTHENTICATED",
    ]);
    expect(await whoIs(there.url, account.token)).toBe(account.email);
    expect((await socket.closed).code).toBe(4401);
  });
}

function describeLimits({ database }: Fleet, redisUrl: () => string): void {
  it(
    "Two processes admit together what the limit of a client holds, and not one more.",
    async () => {
      const admitted = await onceClean((width) =>
        admitTogether(database(), { redisUrl: redisUrl(), width }),
      );
      // Two units each, and one for each process that reads the document.
      expect(admitted).toEqual({ admitted: (200 - 2) / 2, codes: ["RATE_LIMITED"] });
    },
    PATIENT_MS,
  );
}

/**
 * Asks two fresh processes for more than one client may have; null where one of them had to count
 * by itself.
 */
async function admitTogether(
  database: TestDatabase,
  { redisUrl, width }: { redisUrl: string; width: number },
) {
  const env = { LIMIT_ADDRESS_BURST: "200", LIMIT_ADDRESS_PER_SECOND: "0.001", LIMIT_COST: "100" };
  const options = {
    database,
    redisUrl,
    keyPrefix: testRedis().prefix,
    env,
    roles: { api: true, worker: false },
  };
  const apps = [await startApp(options), await startApp(options)];
  try {
    const answers: Answer[] = [];
    await inParallel(
      240,
      width,
      async (at) => void answers.push(await post(apps[at % 2]!.url, "{ __typename }")),
    );
    const alone = await Promise.all(apps.map(({ url }) => limitedAlone(url)));
    if (alone.some((uses) => uses > 0)) return null;
    const codes = new Set(
      answers.flatMap(({ errors = [] }) => errors.map(({ extensions }) => extensions.code)),
    );
    return { admitted: answers.filter(({ status }) => status === 200).length, codes: [...codes] };
  } finally {
    for (const app of apps) await app.close();
  }
}

const limitedAlone = (url: string): Promise<number> =>
  metric(url, "souk_degraded_uses_total", 'part="limiter"');

function describeOwned(fleet: Fleet, urls: () => [string, string]): void {
  it("A guest's cart joins the account that signs in elsewhere, on every device.", async () => {
    const [here, there] = urls();
    const account = await signUp(here);
    await createBuyer(there, account).add(OTHER, { quantity: 1 });
    const device = await watchCart(fleet.apps()[1], account.token);
    const guest = createBuyer(here);
    await guest.add(PRODUCT, { quantity: 2 });
    const input = { email: account.email, password: account.password, deliver: "TOKEN" };
    const IN =
      "mutation In($input: SignInInput!) { signIn(input: $input) { token errors { code } } }";
    const { data } = await patiently(() => guest.ask(IN, { input }));
    const buyer = createBuyer(there, { token: String(data.signIn!.token) });
    expect(contentsOf(await buyer.cart())).toEqual({ [PRODUCT]: 2, [OTHER]: 1 });
    await device.until({ [PRODUCT]: 2, [OTHER]: 1 });
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        createBuyer(urls()[at % 2]!, { token: buyer.token }).add(PRODUCT),
      ),
    );
    await device.until({ [PRODUCT]: 22, [OTHER]: 1 });
    await device.socket.close();
  });

  it("Views are counted once on whatever process.", async () => {
    const VIEW =
      "mutation V($id: ID!, $op: ID) { trackView(productId: $id, operationId: $op) { errors " +
      "{ code } } }";
    const STATS = "query S($id: ID!) { product(id: $id) { stats { views } } }";
    const viewsOn = async (url: string): Promise<number> =>
      Number((await patiently(() => post(url, STATS, { id: OTHER }))).data.product!.stats!.views);
    const before = await viewsOn(urls()[0]);
    const account = await signUp(urls()[0]);
    for (const url of urls()) {
      const { data, errors } = await patiently(() =>
        post(url, VIEW, { id: OTHER, op: "one view" }, { token: account.token }),
      );
      expect(errors ?? data.trackView).toEqual({ errors: [] });
    }
    for (const url of urls())
      await until("one view more", async () => (await viewsOn(url)) === before + 1);
  });
}

function describeLive(fleet: Fleet, urls: () => [string, string]): void {
  it("Scores of two processes make one board, which its watchers follow.", async () => {
    const [here, there] = fleet.apps();
    const token = here.adminToken;
    const CREATE =
      'mutation { createLeaderboard(input: { slug: "duel", title: "Duel", operator: SUM }) { ' +
      "errors { code } } }";
    await post(here.url, CREATE, {}, { token });
    const socket = await connectSocket(there.wsUrl);
    const query =
      'subscription { leaderboardChanged(slug: "duel", period: ALL_TIME, top: 2) { entries { ' +
      "owner score } } }";
    socket.send({ id: "board", type: "subscribe", payload: { query } });
    const SUBMIT =
      "mutation S($input: ScoreInput!) { submitScore(input: $input) { errors { code } } }";
    const scores = Array.from({ length: 40 }, (_, at) => ({
      slug: "duel",
      owner: at % 4 === 0 ? "b" : "a",
      score: 1,
      operationId: `${at}`,
    }));
    const submit = (input: object, at: number) =>
      patiently(() => post(urls()[at % 2]!, SUBMIT, { input }, { token }));
    const answers = await Promise.all(scores.map(submit));
    expect(answers.map(({ data, errors }) => errors ?? data.submitScore)).toEqual(
      scores.map(() => ({ errors: [] })),
    );
    await frame(socket, (data) =>
      JSON.stringify(data).includes('[{"owner":"a","score":30},{"owner":"b","score":10}]'),
    );
    await socket.close();
  });

  it("A notification reaches its follower on the other process, once.", async () => {
    const [here, there] = fleet.apps();
    const account = await signUp(here.url);
    const follower = await follow(there.wsUrl, account.token, "");
    for (const title of ["one", "two", "three"])
      await send(here.url, { userIds: [account.id], title });
    const events = await follower.take(3);
    expect(events.map(({ notification }) => notification.title)).toEqual(["one", "two", "three"]);
    const again = await follow(here.wsUrl, account.token, events[0]!.cursor);
    expect((await again.take(2)).map(({ notification }) => notification.title)).toEqual([
      "two",
      "three",
    ]);
    for (const { socket } of [follower, again]) await socket.close();
  });

  it("A change of a product reaches watchers on both processes, and the next read.", async () => {
    const query = `subscription { productChanged(ids: ["${PRODUCT}"]) { product { stock } } }`;
    const sockets = await Promise.all(fleet.apps().map(({ wsUrl }) => connectSocket(wsUrl)));
    for (const socket of sockets) {
      socket.send({ id: "watch", type: "subscribe", payload: { query } });
      await frame(socket, () => true);
    }
    const ADJUST =
      `mutation { adjustStock(id: "${PRODUCT}", by: 1, operationId: "${randomUUID()}") { ` +
      "product { stock } errors { code } } }";
    const { data, seen } = await patiently(() =>
      post(urls()[0], ADJUST, {}, { token: fleet.apps()[0].adminToken }),
    );
    const stock = data.adjustStock!.product!.stock;
    for (const socket of sockets)
      await frame(socket, (found) => JSON.stringify(found).includes(`"stock":${stock}`));
    expect(
      (
        await patiently(() =>
          post(urls()[1], `{ product(id: "${PRODUCT}") { stock } }`, {}, { seen }),
        )
      ).data.product!.stock,
    ).toBe(stock);
    for (const socket of sockets) await socket.close();
  });
}

/** Reads messages until one has the data that is waited for. */
async function frame(socket: SocketClient, isIt: (data: unknown) => boolean): Promise<unknown> {
  for (;;) {
    const { payload } = await socket.next();
    const { data } = (payload ?? {}) as { data?: unknown };
    if (data && isIt(data)) return data;
  }
}

async function watchCart({ wsUrl }: RunningApp, token: string) {
  const socket = await connectSocket(wsUrl, { authorization: `Bearer ${token}` });
  socket.send({ id: "cart", type: "subscribe", payload: { query: CART_CHANGED } });
  const holds = (wanted: Record<string, number>) => (data: unknown) =>
    Object.entries(contentsOf((data as { cartChanged: SeenCart }).cartChanged))
      .sort()
      .join() === Object.entries(wanted).sort().join();
  return { socket, until: (wanted: Record<string, number>) => frame(socket, holds(wanted)) };
}
