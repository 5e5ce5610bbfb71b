/**
 * Carts against a plain model, on one server with replies that are lost and on a Cluster: the same
 * lines, quantities and prices, the same refusals and warnings after every step of a random
 * history; versions only rise, and rise with every change.
 */
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import {
  connectRedis,
  type RedisConnection,
  whenReady,
} from "../../../src/redis/client/connect.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { drillSize } from "../../support/drill.js";
import { createProxy } from "../../support/faults.js";
import { testLog } from "../../support/log.js";
import { startRedisCluster, testRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";
import { type Place, runHistory, step } from "./history.js";

const SEED = 20_261_125;

async function connect(url: string): Promise<RedisConnection> {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  return connection;
}

/**
 * A connection whose replies can be lost. The proxy drops one and hangs up, as a link does that
 * breaks.
 */
async function connectLosing(url: string) {
  const { hostname: host, port } = new URL(url);
  const proxy = await createProxy({ target: { host, port: Number(port) } });
  onTestFinished(() => proxy.close());
  const connection = await connect(`redis://${proxy.host}:${proxy.port}`);
  let losses = 0;
  return {
    connection,
    losses: () => losses,
    lose(nth: number) {
      let left = nth;
      const { dropped } = proxy.dropReplies(() => --left === 0);
      void dropped.then(async () => {
        losses += 1;
        await proxy.restore();
        proxy.hangUp();
      });
      return {
        async end() {
          await proxy.restore();
          await until("the connection", () => connection.status === "ready");
        },
      };
    },
  };
}

async function judge(place: Place, size: { sample: number; full: number }): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), (steps) =>
      runHistory(place, createKeys(testRedis().prefix), steps),
    ),
    { seed: SEED, numRuns: drillSize(size) },
  );
}

it("Carts hold what the model holds, however replies are lost and processes die.", async () => {
  const { url } = testRedis();
  const losing = await connectLosing(url);
  await judge(
    { connections: [await connect(url), await connect(url)], losing },
    { sample: 100, full: 5_000 },
  );
  // Histories in which nothing is lost would show less.
  expect(losing.losses()).toBeGreaterThan(50);
});

it("Carts hold what the model holds on a Cluster.", async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  await judge(
    { connections: [await connect(cluster.url), await connect(cluster.url)], losing: null },
    { sample: 60, full: 2_000 },
  );
});
