/**
 * A process whose wall clock is wrong: what it judges and shows follows the clocks of Redis and
 * PostgreSQL all the same.
 */
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type SignedIn, signUp } from "../support/accounts.js";
import { ADMIN_TOKEN, type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import { post } from "../support/graphql.js";
import { ROOT } from "../support/node-process.js";
import type { TestDatabase } from "../support/postgres.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";

const [SECOND, MINUTE] = [1_000, 60_000];
/** A slow machine may take this long between two answers; every wrong clock is further off. */
const SLACK_MS = 5 * MINUTE;

/** By how much the wall clock of a process is wrong. */
const SHIFTS = [
  { name: "ten minutes ahead", shiftMs: 10 * MINUTE },
  { name: "ten minutes behind", shiftMs: -10 * MINUTE },
  { name: "two days ahead", shiftMs: 2 * 24 * 60 * MINUTE },
] as const;

const PRODUCT = "UHJvZHVjdDox";
const DAY_MS = 24 * 60 * MINUTE;

/**
 * What is asked of the process, who asks, and where each instant of the answer lies from now:
 * [earliest, latest] in ms.
 */
interface Row {
  readonly name: string;
  readonly query: string;
  readonly by: "admin" | "user" | "guest";
  /** The range of a field, by its name. */
  readonly instants: Readonly<Record<string, readonly [number, number]>>;
}

const NOW = [-SLACK_MS, SLACK_MS] as const;
const in_ = (ms: number) => [ms - SLACK_MS, ms + SLACK_MS] as const;

const ROWS: readonly Row[] = [
  {
    name: "a bucket of the limits",
    query: "{ rateLimit { resetAt } }",
    by: "guest",
    instants: { resetAt: in_(20 * SECOND) },
  },
  {
    name: "a session",
    query: "{ viewer { sessions { createdAt lastSeenAt expiresAt } } }",
    by: "user",
    instants: { createdAt: NOW, lastSeenAt: NOW, expiresAt: in_(30 * MINUTE) },
  },
  {
    name: "a cart",
    query:
      `mutation { addToCart(productId: "${PRODUCT}", operationId: "cart") { cart { expiresAt } ` +
      "} }",
    by: "user",
    instants: { expiresAt: in_(7 * DAY_MS) },
  },
  {
    name: "a review",
    query:
      `mutation { addReview(input: { productId: "${PRODUCT}", rating: 5, body: "Good." }) { ` +
      "review { createdAt } } }",
    by: "user",
    instants: { createdAt: NOW },
  },
  {
    name: "a product",
    query:
      `mutation { adjustStock(id: "${PRODUCT}", by: 1, operationId: "stock") { product { ` +
      "updatedAt } } }",
    by: "admin",
    instants: { updatedAt: NOW },
  },
  {
    name: "a leaderboard",
    query:
      'mutation { createLeaderboard(input: { slug: "clocks", title: "Clocks", timeZone: "UTC" ' +
      "}) { leaderboard { id } errors { code } } }",
    by: "admin",
    instants: {},
  },
  {
    name: "a score",
    query:
      'mutation { submitScore(input: { slug: "clocks", score: 12, operationId: "score" }) { ' +
      "errors { code } } }",
    by: "user",
    instants: {},
  },
  {
    name: "an entry of the present day of a board",
    query:
      '{ leaderboard(slug: "clocks") { entries(period: DAY, first: 1) { edges { node { ' +
      "submittedAt } } } } }",
    by: "guest",
    instants: { submittedAt: NOW },
  },
];

/** Every text in an answer that is an instant, with the name of its field. */
function instantsOf(value: unknown, field = ""): [field: string, ms: number][] {
  if (typeof value === "string")
    return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? [[field, Date.parse(value)]] : [];
  if (Array.isArray(value)) return value.flatMap((item) => instantsOf(item, field));
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([name, member]) => instantsOf(member, name))
    : [];
}

describe.each(SHIFTS)("A process whose clock is $name", ({ shiftMs }) => {
  let database: TestDatabase;
  let app: AppProcess;
  let redis: RedisServer;
  let user: SignedIn;

  beforeAll(async () => {
    database = await seededDatabase(20);
    redis = await startRedisServer();
    app = await startProcess(["dist/main.js"], {
      NODE_OPTIONS: `--import=${pathToFileURL(`${ROOT}/test/support/shifted-clock.mjs`)}`,
      CLOCK_SHIFT_MS: String(shiftMs),
      REDIS_URL: redis.url,
      DATABASE_URL: database.url,
    });
    user = await signUp(app.url);
  });
  afterAll(async () => {
    await app?.end();
    await redis?.stop();
    await database?.close();
  });

  test("A process with a wrong clock shows every instant by the shared clocks.", async () => {
    for (const { name, query, by, instants } of ROWS) {
      const token =
        by === "admin" ? { token: ADMIN_TOKEN } : by === "user" ? { token: user.token } : {};
      const { data, errors } = await post(app.url, query, {}, token);
      expect([name, errors]).toEqual([name, undefined]);
      const found = instantsOf(data);
      expect([name, [...new Set(found.map(([field]) => field))].sort()]).toEqual([
        name,
        Object.keys(instants).sort(),
      ]);
      for (const [field, ms] of found) {
        const [earliest, latest] = instants[field]!;
        expect([name, field, ms - Date.now()]).toEqual([
          name,
          field,
          expect.toSatisfy((at: number) => at >= earliest && at <= latest),
        ]);
      }
    }
  });

  test("A process with a wrong clock ends notifications by the shared clocks.", async () => {
    const send = async (fromNowMs: number) => {
      const input = {
        title: "News",
        kind: "news",
        body: "",
        userIds: [user.id],
        expiresAt: new Date(Date.now() + fromNowMs).toISOString(),
      };
      const query =
        "mutation Send($input: NotificationInput!) { sendNotification(input: $input) { " +
        "errors { code field } } }";
      const { data } = await post(app.url, query, { input }, { token: ADMIN_TOKEN });
      return (data.sendNotification as unknown as { errors: { code: string }[] }).errors.map(
        ({ code }) => code,
      );
    };
    expect(await send(SLACK_MS)).toEqual([]);
    expect(await send(-SLACK_MS)).toEqual(["OUT_OF_RANGE"]);
  });

  test("A process with a wrong clock reports how long a bucket takes to fill.", async () => {
    const response = await fetch(app.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "{ rateLimit { remaining } }" }),
    });
    const seconds = [...(response.headers.get("ratelimit") ?? "").matchAll(/t=(\d+)/g)].map(
      ([, t]) => Number(t),
    );
    expect(seconds.length).toBeGreaterThan(0);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(20);
  });
});
