/**
 * `leaderboardChanged` over two processes: everybody ends at the last top, versions never go back,
 * and the many cost what one costs.
 */
import { randomUUID } from "node:crypto";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { TRANSIENT_CODES } from "../../src/domain/errors.js";
import { type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { metric, patiently, post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const WATCH = `subscription Watch($slug: String!, $period: Period, $top: Int) {
  leaderboardChanged(slug: $slug, period: $period, top: $top) {
    version total period
    entries { rank owner score label }
    leaderboard { slug }
  }
}`;
const CREATE =
  'mutation Create($slug: String!) { createLeaderboard(input: { slug: $slug, title: "Live", ' +
  "operator: SUM }) { errors { code } } }";
const SUBMIT =
  "mutation Submit($input: ScoreInput!) { submitScore(input: $input) { errors { code } } }";

interface Snapshot {
  readonly version: string;
  readonly total: number;
  readonly entries: readonly {
    readonly rank: number;
    readonly owner: string;
    readonly score: number;
    readonly label: string;
  }[];
}

let database: TestDatabase;
let apps: RunningApp[];
beforeAll(async () => {
  database = await seededDatabase(20);
  const { prefix: keyPrefix } = testRedis();
  const roles = { api: true, worker: false };
  apps = [
    await startApp({ database, keyPrefix, roles }),
    await startApp({ database, keyPrefix, roles }),
  ];
});
afterAll(async () => {
  for (const app of apps ?? []) await app.close();
  await database?.close();
});

/** Watches until the test ends; what has arrived. */
function watch(
  { wsUrl }: RunningApp,
  variables: Record<string, unknown>,
): { snapshots: Snapshot[]; errors: unknown[] } {
  const client = createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  onTestFinished(() => client.dispose() as Promise<void>);
  const [snapshots, errors]: [Snapshot[], unknown[]] = [[], []];
  client.subscribe<{ leaderboardChanged: Snapshot }>(
    { query: WATCH, variables },
    {
      next: ({ data, errors: failed }) =>
        data ? snapshots.push(data.leaderboardChanged) : errors.push(...(failed ?? [])),
      error: (error) => errors.push(...(Array.isArray(error) ? error : [error])),
      complete() {},
    },
  );
  return { snapshots, errors };
}

const isTransient = (error: unknown): boolean =>
  TRANSIENT_CODES.has((error as { extensions?: { code?: string } }).extensions?.code);

const submit = async (app: RunningApp, slug: string, owner: string, score: number) => {
  const input = { slug, owner, score, operationId: randomUUID() };
  const { data } = await patiently(() =>
    post(app.url, SUBMIT, { input }, { token: app.adminToken }),
  );
  expect(data.submitScore).toEqual({ errors: [] });
};

/** Makes a leaderboard; repeated while a busy machine answers SERVICE_UNAVAILABLE. */
const create = async (app: RunningApp, slug: string) => {
  const { data } = await patiently(() =>
    post(app.url, CREATE, { slug }, { token: app.adminToken }),
  );
  const codes = data.createLeaderboard?.errors?.map(({ code }) => code as unknown);
  expect([[], ["CONFLICT"]]).toContainEqual(codes);
};

it("Watchers on both processes see the top, then every change, at the cost of one.", async () => {
  const [here, there] = apps as [RunningApp, RunningApp];
  await create(here, "live");
  const watchers = apps.flatMap((app) =>
    Array.from({ length: 20 }, (_, at) =>
      watch(app, { slug: "live", top: 3, period: at % 2 ? "DAY" : "ALL_TIME" }),
    ),
  );
  await until("everybody's first snapshot", () =>
    watchers.every(({ snapshots }) => snapshots.length > 0),
  );
  const readsBefore = await metric(
    there.url,
    "souk_redis_round_trip_seconds_count",
    'what="leaderboard read"',
  );
  const scores = Array.from({ length: 60 }, (_, at) => [`o${at % 7}`, at] as const);
  await Promise.all(
    scores.map(([owner, score], at) => submit(at % 2 ? here : there, "live", owner, score)),
  );
  const sums = [
    ...new Map(
      scores.map(([owner]) => [
        owner,
        scores.filter(([other]) => other === owner).reduce((sum, [, score]) => sum + score, 0),
      ]),
    ),
  ];
  const top = sums.sort(([, a], [, b]) => b - a).slice(0, 3);
  const isLast = ({ snapshots }: { snapshots: Snapshot[] }) => {
    const last = snapshots.at(-1);
    return (
      last?.version === "60" &&
      JSON.stringify(last.entries.map(({ owner, score }) => [owner, score])) === JSON.stringify(top)
    );
  };
  await until("everybody to see the last top", () => watchers.every(isLast));
  for (const { snapshots, errors } of watchers) {
    // A busy machine may miss a deadline once; the value follows.
    expect(errors.filter((error) => !isTransient(error))).toEqual([]);
    const versions = snapshots.map(({ version }) => Number(version));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(snapshots.at(-1)).toMatchObject({
      total: 7,
      entries: [{ rank: 1, label: top[0]![0] }, { rank: 2 }, { rank: 3 }],
    });
  }
  // Twenty watch there, in two groups: the reads are those of the groups, not of the watchers.
  const messages = watchers.slice(20).reduce((sum, { snapshots }) => sum + snapshots.length, 0);
  const reads =
    (await metric(there.url, "souk_redis_round_trip_seconds_count", 'what="leaderboard read"')) -
    readsBefore;
  expect(reads).toBeGreaterThan(0);
  expect(reads).toBeLessThanOrEqual(messages / 5);
});

it.each([
  [{ slug: "nowhere" }, "slug"],
  [{ slug: "best-selling-products", top: 0 }, "top"],
  [{ slug: "best-selling-products", top: 101 }, "top"],
])("Watching %j is refused.", async (variables, argument) => {
  const { errors } = watch(apps[0]!, variables);
  await until("the refusal", () => errors.length > 0);
  expect(errors[0]).toMatchObject({ extensions: { code: "BAD_USER_INPUT", argument: [argument] } });
});
