/**
 * Faults of Redis that cost something without stopping everything: each is in /readyz, in a metric,
 * and in the log once per change.
 */
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { type RunningApp, startApp } from "../support/app.js";
import { cacheIsUsed, metric, post, readyz } from "../support/graphql.js";
import { rememberingLog } from "../support/log.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

interface Fault {
  /** Which Redis of the app has it. */
  readonly role: "REDIS_URL" | "CACHE_REDIS_URL" | "LIMITER_REDIS_URL";
  readonly begin: (server: RedisServer, admin: Redis) => Promise<unknown>;
  readonly end: (server: RedisServer, admin: Redis) => Promise<unknown>;
  /** Parts that have to say so, with what they say. */
  readonly parts: Readonly<Record<string, RegExp>>;
}

const full: Pick<Fault, "begin" | "end"> = {
  begin: (_, admin) => admin.config("SET", "maxmemory", 1),
  end: (_, admin) => admin.config("SET", "maxmemory", 0),
};
const tooFewReplicas: Pick<Fault, "begin" | "end"> = {
  begin: (_, admin) => admin.config("SET", "min-replicas-to-write", 1),
  end: (_, admin) => admin.config("SET", "min-replicas-to-write", 0),
};
const silent: Pick<Fault, "begin" | "end"> = {
  begin: (server) => server.kill("SIGSTOP"),
  end: (server) => server.kill("SIGCONT"),
};
const gone: Pick<Fault, "begin" | "end"> = {
  begin: (server) => server.kill(),
  end: (server) => server.restart(),
};

const STATE_LOST = {
  redis: /^does not answer/,
  limiter: /each process counts by itself/,
  counters: /read from Postgres/,
};
const FAULTS: Readonly<Record<string, Fault>> = {
  "A full Redis": { ...full, role: "REDIS_URL", parts: { redis: /^full/ } },
  "A full Redis of the cache": { ...full, role: "CACHE_REDIS_URL", parts: { cacheRedis: /^full/ } },
  "A full Redis of the limits": {
    ...full,
    role: "LIMITER_REDIS_URL",
    parts: { limiterRedis: /^full/ },
  },
  "A Redis without its replicas": {
    ...tooFewReplicas,
    role: "REDIS_URL",
    parts: { redis: /^too few replicas/, counters: /refuses it \(NOREPLICAS\)|^ok/ },
  },
  "A Redis of the limits without its replicas": {
    ...tooFewReplicas,
    role: "LIMITER_REDIS_URL",
    parts: {
      limiterRedis: /^too few replicas/,
      limiter: /refuses it \(NOREPLICAS\); each process counts by itself/,
    },
  },
  "A silent Redis": { ...silent, role: "REDIS_URL", parts: STATE_LOST },
  "A Redis that is gone": { ...gone, role: "REDIS_URL", parts: STATE_LOST },
  "A silent Redis of the limits": {
    ...silent,
    role: "LIMITER_REDIS_URL",
    parts: { limiterRedis: /^does not answer/, limiter: /each process counts by itself/ },
  },
  "A Redis of the cache that is gone": {
    ...gone,
    role: "CACHE_REDIS_URL",
    parts: {
      cacheRedis: /^does not answer/,
      cache: /reads come from Postgres/,
      cacheLocal: /the local level is off/,
    },
  },
};

/** Everything but the worker, which these apps do without. */
const isWell = async (app: RunningApp): Promise<boolean> =>
  (await readyz(app.url)).missing.join() === "worker";

/** Uses the limits, the counters and the cache. */
const READ = "{ products(first: 1) { edges { node { name stats { views } } } } }";
const use = (app: RunningApp) => post(app.url, READ);

async function open({ role }: Fault) {
  const [server, main] = await Promise.all([startRedisServer(), startRedisServer()]);
  const { log, lines } = rememberingLog();
  const env = role === "REDIS_URL" ? {} : { [role]: server.url };
  const redisUrl = role === "REDIS_URL" ? server.url : main.url;
  const app = await startApp({
    products: 5,
    redisUrl,
    keyPrefix: "",
    env,
    roles: { api: true, worker: false },
    log,
  });
  const admin = new Redis(server.url);
  admin.on("error", () => {});
  onTestFinished(async () => {
    await server.kill("SIGCONT").catch(() => {});
    admin.disconnect();
    await app.close();
    await Promise.all([server.stop(), main.stop()]);
  });
  /** Lines about a part, by their level. */
  const linesOf = (part: string): string[] =>
    lines
      .map((line) => JSON.parse(line) as { level: number; part?: string })
      .flatMap((line) => (line.part === part ? [levelOf(line.level)] : []));
  return { app, server, admin, linesOf };
}

const levelOf = (level: number): string => (level >= 40 ? "warn" : "info");

it.each(Object.entries(FAULTS))(
  "%s is told by probes, metrics and one line of the log, and so is its end.",
  async (_, fault) => {
    const { app, server, admin, linesOf } = await open(fault);
    await until("everything to be well", async () => {
      await use(app);
      return (await isWell(app)) && (await cacheIsUsed(app.url));
    });
    const before = Object.fromEntries(
      Object.keys(fault.parts).map((part) => [part, linesOf(part).length]),
    );
    await fault.begin(server, admin);
    await until("the fault to be told", async () => {
      await use(app);
      const { status, checks } = await readyz(app.url);
      return (
        status === "degraded" &&
        Object.entries(fault.parts).every(([part, says]) => says.test(checks[part] ?? ""))
      );
    });
    // More uses are more of the same state.
    for (let times = 0; times < 3; times++) await use(app);
    for (const [part, says] of Object.entries(fault.parts)) {
      if (says.test("ok")) continue;
      expect([part, await metric(app.url, "souk_degraded{", `part="${part}"`)]).toEqual([part, 1]);
      expect(await metric(app.url, "souk_degraded_uses_total", `part="${part}"`)).toBeGreaterThan(
        0,
      );
      expect([part, linesOf(part).slice(before[part])]).toEqual([part, ["warn"]]);
    }
    await fault.end(server, admin);
    await until("everything to be well again", async () => {
      await use(app);
      return await isWell(app);
    });
    for (const [part, says] of Object.entries(fault.parts)) {
      if (says.test("ok")) continue;
      expect(linesOf(part).at(-1)).toBe("info");
      expect(await metric(app.url, "souk_degraded{", `part="${part}"`)).toBe(0);
    }
  },
);
