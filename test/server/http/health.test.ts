/** Probes, numbers, headers and the ways a server cannot start. */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHealthServer } from "../../../src/server/http/health-server.js";
import { createLogger } from "../../../src/telemetry/log.js";
import { createMetrics } from "../../../src/telemetry/metrics.js";
import { until } from "../../support/until.js";
import { startServer, type TestServer, TOKEN } from "../test-server.js";

let souk: TestServer;
const state = { ready: true, checks: { redis: "ok", postgres: "ok" } };

beforeAll(async () => {
  souk = await startServer(
    { ALLOWED_ORIGINS: "https://shop.example" },
    { readiness: async () => ({ ...state }) },
  );
});
afterAll(() => souk.close());

test("The probe readyz names what is missing, and refuses only a dead process.", async () => {
  expect(await (await fetch(`${souk.url}/livez`)).json()).toEqual({ status: "ok" });
  const probe = async () => {
    const response = await fetch(`${souk.url}/readyz`);
    return [response.status, await response.json()];
  };
  expect(await probe()).toEqual([
    200,
    { status: "ok", missing: [], checks: { redis: "ok", postgres: "ok" } },
  ]);
  state.checks.redis = "does not answer";
  expect(await probe()).toMatchObject([200, { status: "degraded", missing: ["redis"] }]);
  Object.assign(state, {
    ready: false,
    checks: { redis: "does not answer", postgres: "does not answer" },
  });
  expect(await probe()).toMatchObject([
    503,
    { status: "unavailable", missing: ["redis", "postgres"] },
  ]);
  Object.assign(state, { ready: true, checks: { redis: "ok", postgres: "ok" } });
});

test("A process without clients has a port for probes and metrics, and tells drains.", async () => {
  const [metrics, draining] = [createMetrics(), { is: false }];
  const readiness = async () => ({ ready: true, checks: { jobs: "ok" } });
  const log = createLogger({ level: "silent" });
  const server = await createHealthServer({
    host: "127.0.0.1",
    port: 0,
    metrics,
    readiness,
    isDraining: () => draining.is,
    log,
  });
  const probe = async (path: string) => {
    const response = await fetch(server.url + path);
    return [response.status, await response.json()];
  };
  expect(await probe("/readyz")).toEqual([
    200,
    { status: "ok", missing: [], checks: { jobs: "ok" } },
  ]);
  draining.is = true;
  expect(await probe("/readyz")).toMatchObject([
    503,
    { status: "unavailable", checks: { server: "draining" } },
  ]);
  expect(await probe("/livez")).toEqual([200, { status: "ok" }]);
  expect(await probe("/graphql")).toMatchObject([404, { errors: [expect.anything()] }]);
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain("souk_memory_bytes");
  await server.close();
  metrics.close();
});

test("A source of numbers is asked singly, in intervals, and holds up no scrape.", async () => {
  const metrics = createMetrics();
  let asked = 0;
  const hangs = (): Promise<never> => {
    asked += 1;
    return new Promise(() => {});
  };
  const fails = () => Promise.reject(new Error("down"));
  const boards = async () => ({ souk_boards_behind: 2, souk_boards_unapplied_scores: 9 });
  const help = "A number.";
  metrics.addGauges({ helps: { souk_broadcasts_open: help }, read: hangs });
  metrics.addGauges({ helps: { souk_counters_unflushed_fields: help }, read: fails });
  metrics.addGauges({
    helps: { souk_boards_behind: help, souk_boards_unapplied_scores: help },
    read: boards,
  });
  metrics.addGauges({ helps: { souk_workers: help }, read: hangs });
  const texts = [await metrics.render(), await metrics.render()].map(({ text }) => text);
  expect(asked).toBe(2);
  for (const text of texts) {
    expect(text).toContain("souk_boards_behind 2");
    expect(text).not.toMatch(/^souk_(workers|broadcasts_open|counters_unflushed_fields) /m);
  }
  metrics.close();
});

test("Metrics distinguish operations up to a bound, whatever their names.", async () => {
  for (let at = 0; at < 120; at++) await souk.post({ query: `query Name${at} { hello }` });
  const text = await (await fetch(`${souk.url}/metrics`)).text();
  const names = new Set(
    [...text.matchAll(/souk_operation_seconds_count\{operation="([^"]+)"/g)].map(
      (match) => match[1],
    ),
  );
  expect(names.size).toBeLessThanOrEqual(101);
  expect(names).toContain("Name0");
  expect(names).toContain("other");
  expect(text).toMatch(/souk_event_loop_lag_seconds\{quantile="0.99"\} /);
});

test("An idle event loop shows no lag.", async () => {
  const [LOOKS, EVERY_MS] = [30, 20];
  const measured = monitorEventLoopDelay({ resolution: EVERY_MS });
  measured.enable();
  // A busy machine delays both alike; Node counts the time between two looks, of which half is more
  // than chance.
  await until("the time between two looks to be no lag", async () => {
    measured.reset();
    for (let look = 0; look < LOOKS; look++) await setTimeout(EVERY_MS);
    const text = await (await fetch(`${souk.url}/metrics`)).text();
    const shown = Number(/souk_event_loop_lag_seconds\{quantile="0.5"\} (\S+)/.exec(text)?.[1]);
    return shown < measured.percentile(50) / 1e9 - EVERY_MS / 1e3 / 2;
  });
  measured.disable();
});

test("Metrics hold reports and Redis' own numbers, asked for once, silence included.", async () => {
  const metrics = createMetrics();
  let asked = 0;
  metrics.readRedisFrom(async () => ({ used_memory_bytes: 1_000 + asked++ }));
  metrics.cacheReads("local", 3);
  metrics.loads("product", 2);
  metrics.redisRoundTrip("mget", 1.5, false);
  metrics.sqlStatement(2, true);
  await metrics.render();
  const { text } = await metrics.render();
  expect(asked).toBe(1);
  for (const line of [
    'souk_cache_reads_total{level="local"} 3',
    'souk_loads_total{family="product"} 1',
    'souk_loaded_keys_total{family="product"} 2',
    'souk_redis_round_trip_seconds_count{what="mget",failed="false"} 1',
    'souk_sql_statement_seconds_count{failed="true"} 1',
    'souk_redis_server{what="used_memory_bytes"} 1000',
    "souk_redis_up 1",
  ]) {
    expect(text).toContain(line);
  }
  metrics.close();
  const down = createMetrics();
  down.readRedisFrom(() => Promise.reject(new Error("down")));
  expect((await down.render()).text).toContain("souk_redis_up 0");
  down.close();
});

test("CORS names the origins of the list with credentials, and echoes no other.", async () => {
  const allowed = await souk.post({ query: "{ hello }" }, { origin: "https://shop.example" });
  expect([
    allowed.headers.get("access-control-allow-origin"),
    allowed.headers.get("access-control-allow-credentials"),
  ]).toEqual(["https://shop.example", "true"]);
  expect(allowed.headers.get("access-control-expose-headers")).toMatch(/Souk-Seen/);
  const foreign = await souk.post({ query: "{ hello }" }, { origin: "https://evil.example" });
  expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
  const preflight = (origin: string) =>
    fetch(souk.graphql, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,souk-seen",
      },
    });
  expect((await preflight("https://shop.example")).headers.get("access-control-allow-origin")).toBe(
    "https://shop.example",
  );
  expect(
    (await preflight("https://evil.example")).headers.get("access-control-allow-origin"),
  ).toBeNull();
});

test("Every answer carries security headers and its request id.", async () => {
  for (const path of ["/livez", "/nowhere", "/graphql"]) {
    const { headers } = await fetch(`${souk.url}${path}`);
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none';frame-ancestors 'none';base-uri 'none'",
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get("x-powered-by")).toBeNull();
  }
});

test("An address that is taken is reported with what to do.", async () => {
  const port = new URL(souk.url).port;
  await expect(startServer({ PORT: port })).rejects.toMatchObject({
    name: "StartupError",
    message: expect.stringMatching(`^127.0.0.1:${port} is already in use.*PORT`),
  });
  await expect(startServer({ HOST: "192.0.2.1" })).rejects.toMatchObject({
    name: "StartupError",
    message: expect.stringContaining("HOST"),
  });
});

test("The log holds no token, cookie or password.", () => {
  let text = "";
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const log = createLogger({ level: "info", destination });
  log.info(
    {
      authorization: TOKEN,
      req: { headers: { authorization: TOKEN, cookie: TOKEN, "set-cookie": TOKEN } },
      token: TOKEN,
      user: { password: TOKEN },
    },
    "hello",
  );
  expect(text).toContain("hello");
  expect(text).not.toContain(TOKEN);
});
