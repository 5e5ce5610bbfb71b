/**
 * Workers that are not there, and workers that do nothing: the API, the worker's own probes, the
 * metrics and the log say so.
 */
import { pathToFileURL } from "node:url";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import { createProxy, type FaultyProxy } from "../support/faults.js";
import { metric, post, readyz } from "../support/graphql.js";
import { ROOT } from "../support/node-process.js";
import { send } from "../support/notifications.js";
import type { TestDatabase } from "../support/postgres.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

const MINUTE = 60_000;

let database: TestDatabase;
let redis: RedisServer;
let api: AppProcess;
let env: Record<string, string>;
const started: AppProcess[] = [];

beforeAll(async () => {
  [database, redis] = await Promise.all([seededDatabase(10), startRedisServer()]);
  env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    WORKER_BEAT_MS: "100",
    OUTBOX_POLL_MS: "50",
    BOARD_UPKEEP_MS: "50",
    COUNTERS_FLUSH_MS: "50",
    POPULARITY_MS: "50",
  };
  api = await startProcess(["dist/main.js", "--api"], env);
});
afterEach(async () => {
  for (const worker of started.splice(0)) await worker.end("SIGKILL");
  await query("DELETE FROM workers");
});
afterAll(async () => {
  await api?.end();
  await redis?.stop();
  await database?.close();
});

const query = (text: string) => database.database.query(sql.raw(text));

async function startWorker(more: Record<string, string> = {}): Promise<AppProcess> {
  const worker = await startProcess(["dist/worker.js"], { ...env, WORKER_PORT: "0", ...more });
  started.push(worker);
  return worker;
}

/** What the API says of workers. */
const workerCheck = async (): Promise<string> =>
  (await readyz(api.url)).checks.worker ?? "not told";
const told = (what: string, says: RegExp): Promise<string> =>
  until(what, async () => {
    const check = await workerCheck();
    return says.test(check) ? check : null;
  });

/** The log lines of a worker about one job, from level info on. */
const linesAbout = (worker: AppProcess, job: string): string[] =>
  worker
    .output()
    .split("\n")
    .flatMap((line) => {
      if (!line.startsWith("{")) return [];
      const { level, ...said } = JSON.parse(line) as {
        level: number;
        job?: string;
        failures?: number;
      };
      return said.job === job ? [`${level} ${said.failures}`] : [];
    });

it("An API soon says whether a worker is there: at first, with one, after its end.", async () => {
  expect(await readyz(api.url)).toMatchObject({
    status: "degraded",
    missing: ["worker"],
    checks: { worker: "none has been seen" },
  });
  expect((await fetch(new URL("/readyz", api.url))).status).toBe(200);

  const worker = await startWorker();
  await told("the worker", /^ok$/);
  await worker.end("SIGKILL");
  expect(await told("the missing worker", /none seen/)).toMatch(/^none seen for \d+ s$/);
  expect((await fetch(new URL("/readyz", api.url))).status).toBe(200);

  const next = await startWorker();
  await told("the worker", /^ok$/);
  const [row] = (await query("SELECT pid FROM workers ORDER BY beat_at DESC LIMIT 1")) as {
    pid: number;
  }[];
  expect(row?.pid).toBe(next.child.pid);
  expect(await next.end("SIGTERM")).toBe(0);
  expect(await query(`SELECT FROM workers WHERE pid = ${next.child.pid}`)).toEqual([]);
});

it("Rows of workers that died long ago are deleted by the next one.", async () => {
  await query(`INSERT INTO workers (id, host, pid, started_at, beat_at, beat_ms, jobs)
    SELECT n::text, 'gone', n, 'epoch', now() - interval '1 day', 100, '[]'
    FROM generate_series(1, 50) n`);
  expect(await workerCheck()).toBe("none seen for 86400 s");
  await startWorker();
  expect(await query("SELECT FROM workers WHERE host = 'gone'")).toEqual([]);
});

it("What another release wrote about its jobs ends no probe.", async () => {
  for (const jobs of ["null", "{}", '[{"job": 1}]', '"x"', "[[]]"]) {
    await query(`INSERT INTO workers (id, host, pid, started_at, beat_at, beat_ms, jobs)
      VALUES ('other', 'other', 1, now(), now() + interval '1 hour', 100, '${jobs}')
      ON CONFLICT (id) DO UPDATE SET jobs = excluded.jobs`);
    expect([jobs, await workerCheck()]).toEqual([jobs, "ok"]);
  }
});

/** A fault of one job: how it begins and ends. The other jobs go on. */
const FAULTS: readonly { readonly job: string; readonly table: string }[] = [
  { job: "outbox relay", table: "outbox" },
  { job: "broadcasts", table: "notification_broadcast_parts" },
  { job: "leaderboards", table: "leaderboards" },
  { job: "popularity", table: "popularity_due" },
];

it.each(FAULTS)(
  "A failing $job job is a warning, then an error, is in probes and metrics, and recovers.",
  async ({ job, table }) => {
    const worker = await startWorker();
    await until(
      "a success",
      async () => (await metric(worker.url, "souk_job_last_success_seconds", `job="${job}"`)) < 5,
    );
    await query(`ALTER TABLE ${table} RENAME TO ${table}_away`);
    try {
      const named = await told("the failing job", new RegExp(`${job}: failing for \\d+ s`));
      expect(named).toContain(`process ${worker.child.pid}`);
      const own = await until("the worker's own word", async () => {
        const { status, checks } = await readyz(worker.url);
        return status === "degraded" && checks.jobs?.includes(`${job}: failing for`)
          ? checks
          : null;
      });
      expect(own.jobs).not.toContain("beat");
      await until("the error", () => linesAbout(worker, job).includes("50 10"));
      expect(
        await metric(worker.url, "souk_job_failures_total", `job="${job}"`),
      ).toBeGreaterThanOrEqual(10);
      expect(
        await metric(worker.url, "souk_job_failing_runs", `job="${job}"`),
      ).toBeGreaterThanOrEqual(3);
      expect(linesAbout(worker, job).slice(0, 2)).toEqual(["40 3", "50 10"]);
    } finally {
      await query(`ALTER TABLE ${table}_away RENAME TO ${table}`);
    }
    await told("the recovery", /^ok$/);
    await until("the line about it", () => linesAbout(worker, job).at(-1)?.startsWith("30 "));
    await until("its own word", async () => (await readyz(worker.url)).checks.jobs === "ok");
  },
);

it("A worker beats while Redis is gone, and beats again after Postgres was.", async () => {
  const target = new URL(database.url);
  const proxy: FaultyProxy = await createProxy({
    target: { host: target.hostname, port: Number(target.port) },
  });
  target.port = String(proxy.port);
  try {
    const worker = await startWorker({ DATABASE_URL: target.href, DATABASE_TIMEOUT_MS: "500" });
    await redis.kill();
    await told("a job that needs Redis", /failing for/);
    expect(await workerCheck()).not.toMatch(/none|beat/);
    await redis.restart();
    await told("the worker to be well", /^ok$/);

    await proxy.cut();
    await told("the silence", /none seen/);
    expect((await readyz(worker.url)).checks).toMatchObject({
      postgres: "does not answer",
      outbox: "cannot be told",
    });
    await proxy.restore();
    await told("the beat", /^ok$/);
    expect(worker.child.exitCode).toBeNull();
  } finally {
    await proxy.close();
  }
}, 120_000);

it("An API that cannot ask Postgres says so of the worker.", async () => {
  const target = new URL(database.url);
  const proxy: FaultyProxy = await createProxy({
    target: { host: target.hostname, port: Number(target.port) },
  });
  target.port = String(proxy.port);
  const other = await startProcess(["dist/main.js", "--api"], {
    ...env,
    DATABASE_URL: target.href,
    DATABASE_TIMEOUT_MS: "1000",
  });
  try {
    await startWorker();
    await until("everything to be well", async () => (await readyz(other.url)).status === "ok");
    for (const fault of [() => proxy.cut(), () => proxy.blackHole()]) {
      await fault();
      await until("the fault to be told", async () => {
        const { status, checks } = await readyz(other.url);
        return (
          status === "degraded" &&
          checks.postgres === "does not answer" &&
          checks.worker === "cannot be told"
        );
      });
      await proxy.restore();
      await until("everything to be well", async () => (await readyz(other.url)).status === "ok");
    }
  } finally {
    await other.end();
    await proxy.close();
  }
}, 120_000);

it.each([10 * MINUTE, -10 * MINUTE])(
  "A worker whose clock is wrong by %d ms is seen like any other.",
  async (shiftMs) => {
    const shifted = {
      NODE_OPTIONS: `--import=${pathToFileURL(`${ROOT}/test/support/shifted-clock.mjs`)}`,
      CLOCK_SHIFT_MS: String(shiftMs),
    };
    const worker = await startWorker(shifted);
    await told("the worker", /^ok$/);
    expect(
      await metric(worker.url, "souk_job_last_success_seconds", 'job="outbox relay"'),
    ).toBeLessThan(MINUTE / 1_000);
    const [row] = (await query(
      "SELECT abs(extract(epoch FROM now() - started_at))::float8 AS off FROM workers",
    )) as { off: number }[];
    expect(row?.off).toBeLessThan(MINUTE / 1_000);
    const late = await startProcess(["dist/main.js", "--api"], { ...env, ...shifted });
    await until("the worker", async () => (await readyz(late.url)).checks.worker === "ok");
    await worker.end("SIGKILL");
    await until("the missing worker", async () =>
      /^none seen for \d{1,2} s$/.test((await readyz(late.url)).checks.worker ?? ""),
    );
    await late.end();
  },
);

it("A worker's probes answer on its port, in JSON where nothing is, until it stops.", async () => {
  const worker = await startWorker();
  expect(await (await fetch(new URL("/livez", worker.url))).json()).toEqual({ status: "ok" });
  const well = { status: "ok", missing: [], checks: { postgres: "ok", redis: "ok", jobs: "ok" } };
  await until("everything to be well", async () => (await readyz(worker.url)).status === "ok");
  expect(await readyz(worker.url)).toMatchObject(well);
  const nowhere = await fetch(worker.url);
  expect([nowhere.status, nowhere.headers.get("content-type")]).toEqual([
    404,
    expect.stringContaining("json"),
  ]);
  expect((await fetch(new URL("/livez", worker.url), { method: "HEAD" })).status).toBe(200);
  expect(await worker.end("SIGTERM")).toBe(0);
});

it("A worker without a port opens none; where it is taken, the variable is named.", async () => {
  const worker = await startWorker({ WORKER_PORT: "" });
  expect(worker.output()).not.toContain('"url"');
  const taken = new URL(api.url).port;
  await expect(startWorker({ WORKER_PORT: taken })).rejects.toThrow(/already in use.*WORKER_PORT/);
});

it("What piles up without a worker is in the API's metrics, and goes with a worker.", async () => {
  const create =
    'mutation { createLeaderboard(input: { slug: "piles", title: "Piles", timeZone: "UTC" }) ' +
    "{ errors { code } } }";
  await post(api.url, create, {}, { token: "test-admin-token-0123456789" });
  await post(api.url, 'mutation { trackView(productId: "UHJvZHVjdDox") { errors { code } } }');
  await query(
    "INSERT INTO users (tag, email, name, role, password_hash) VALUES ('t', " +
      "'one@many.example', 'One', 'CUSTOMER', 'x')",
  );
  const sendToAll = () => send(api.url, { everyone: true, title: "to all", operationId: "piles" });
  expect(await sendToAll()).toMatchObject({ delivered: false });
  await query("UPDATE notification_contents SET created_at = now() - interval '1 hour'");
  await query("UPDATE leaderboards SET last_sequence = 7 WHERE slug = 'piles'");
  await query(
    `INSERT INTO outbox (kind, payload, created_at)
      VALUES ('change', '{"tags": [], "events": []}', now() - interval '1 hour')`,
  );
  const piles = async (url: string) =>
    Object.fromEntries(
      await Promise.all(
        [
          "souk_workers",
          "souk_outbox_oldest_seconds",
          "souk_broadcasts_open",
          "souk_broadcasts_oldest_seconds",
          "souk_counters_unflushed_fields",
          "souk_boards_behind",
          "souk_boards_unapplied_scores",
        ].map(async (name) => [name, await metric(url, name)] as const),
      ),
    );
  await until("the piles", async () => {
    const seen = await piles(api.url);
    const old = [seen.souk_outbox_oldest_seconds, seen.souk_broadcasts_oldest_seconds].every(
      (seconds) => (seconds ?? 0) >= 3_600,
    );
    return (
      old &&
      seen.souk_counters_unflushed_fields! >= 4 &&
      seen.souk_broadcasts_open === 1 &&
      seen.souk_workers === 0 &&
      seen.souk_boards_unapplied_scores === 7
    );
  });
  await query("UPDATE leaderboards SET last_sequence = 0 WHERE slug = 'piles'");
  await startWorker();
  await until("the delivery", async () => (await sendToAll()).delivered);
  await until("the piles to be gone", async () => {
    const { souk_workers, ...seen } = await piles(api.url);
    return souk_workers === 1 && Object.values(seen).every((value) => value === 0);
  });
});
