/**
 * The breaker: when Redis is asked, what is reported, and that a silent connection does not stay.
 */

import { expect, it, onTestFinished } from "vitest";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { createBreaker } from "../../../src/redis/client/breaker.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createProbe } from "../../../src/redis/client/probe.js";
import { createProxy } from "../../support/faults.js";
import { testLog } from "../../support/log.js";
import { startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";

async function open() {
  const server = await startRedisServer();
  const proxy = await createProxy({ target: { host: "127.0.0.1", port: server.port } });
  const connection = connectRedis({
    url: `redis://127.0.0.1:${proxy.port}`,
    role: "requests",
    log: testLog(),
  });
  await whenReady(connection, 30_000);
  const reports: (string | null)[] = [];
  const probe = createProbe(connection, silentTelemetry);
  const breaker = createBreaker(
    { connection, probe, report: (reason) => reports.push(reason) },
    { instead: "nothing", deadlineMs: 200 },
  );
  onTestFinished(async () => {
    probe.close();
    breaker.close();
    connection.disconnect();
    await proxy.close();
    await server.stop();
  });
  return { server, proxy, breaker, reports };
}

it("A failure opens a breaker, fallbacks are reported, an answered probe closes it.", async () => {
  const { breaker, reports } = await open();
  expect(breaker.isClosed()).toBe(true);
  breaker.trip(new Error("late"));
  expect([breaker.isClosed(), breaker.isClosed()]).toEqual([false, false]);
  expect(reports).toEqual(Array(3).fill("Redis does not answer; nothing"));
  await until("it to close", () => breaker.isClosed());
  await until("the part to be well", () => reports.at(-1) === null);
});

it("A connection that falls silent is opened anew.", async () => {
  const { proxy, breaker } = await open();
  const before = proxy.accepted();
  proxy.blackHole();
  breaker.trip(new Error("late"));
  await until("another connection", () => proxy.accepted() > before);
  await proxy.restore();
  await until("it to close", () => breaker.isClosed());
});

it("A use that keeps failing beside probes that are answered is one state, not many.", async () => {
  const { breaker, reports } = await open();
  for (let times = 0; times < 5; times++) {
    breaker.trip(new Error("refused"));
    await until("it to close", () => breaker.isClosed());
  }
  expect(reports).not.toContain(null);
});
