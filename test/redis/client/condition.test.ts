/** What is said of a Redis that answers and refuses writes: each way to refuse, on real servers. */

import { mkdir } from "node:fs/promises";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { watchCondition } from "../../../src/redis/client/condition.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { testLog } from "../../support/log.js";
import { startRedisCluster } from "../../support/redis-cluster.js";
import { type RedisServer, startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";

interface Case {
  readonly args?: readonly string[];
  /** Brings the trouble about. */
  readonly begin: (server: RedisServer, admin: Redis) => Promise<unknown>;
  readonly says: RegExp;
  readonly end: (server: RedisServer, admin: Redis) => Promise<unknown>;
}

const FULL = 20_000_000;
const CASES: Readonly<Record<string, Case>> = {
  "that is full": {
    begin: async (_, admin) => {
      await admin.set("filler", "x".repeat(FULL));
      await admin.config("SET", "maxmemory", FULL);
    },
    says: /^full: used memory is over maxmemory/,
    end: (_, admin) => admin.del("filler"),
  },
  "that is a replica": {
    begin: async (_, admin) => {
      const primary = await startRedisServer();
      onTestFinished(() => primary.stop());
      await admin.replicaof("127.0.0.1", primary.port);
    },
    says: /^(a read-only replica|a replica that has lost its primary|it is loading)/,
    end: (_, admin) => admin.replicaof("NO", "ONE"),
  },
  "that has too few replicas": {
    begin: (_, admin) => admin.config("SET", "min-replicas-to-write", 1),
    says: /^too few replicas/,
    end: (_, admin) => admin.config("SET", "min-replicas-to-write", 0),
  },
  "that cannot save": {
    args: ["--save", "3600 1"],
    begin: async (_, admin) => {
      await admin.set("one", "1");
      await failToSave(admin);
    },
    says: /^it cannot save to disk/,
    end: (_, admin) => admin.config("SET", "stop-writes-on-bgsave-error", "no"),
  },
  "that is stopped": {
    begin: (server) => server.kill("SIGSTOP"),
    says: /^does not answer/,
    end: (server) => server.kill("SIGCONT"),
  },
};

/** A folder stands where the snapshot should be. */
async function failToSave(admin: Redis): Promise<void> {
  const [, dir] = (await admin.config("GET", "dir")) as string[];
  await mkdir(`${dir}/dump.rdb/in-the-way`, { recursive: true });
  await admin.bgsave();
  await until("a snapshot to fail", async () =>
    (await admin.info("persistence")).includes("rdb_last_bgsave_status:err"),
  );
}

async function watch(url: string) {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  const reports: (string | null)[] = [];
  const condition = watchCondition({
    connection,
    telemetry: silentTelemetry,
    report: (reason) => reports.push(reason),
  });
  onTestFinished(() => {
    condition.close();
    connection.disconnect();
  });
  await whenReady(connection, 30_000);
  const look = async (): Promise<string | null | undefined> => {
    await condition.look();
    return reports.at(-1);
  };
  return {
    condition,
    connection,
    reports,
    look,
    well: () => until("the server to be well", async () => (await look()) === null),
  };
}

it.each(Object.entries(CASES))(
  "A server %s is reported with the reason, and well again afterwards.",
  async (_, { args = [], begin, says, end }) => {
    const server = await startRedisServer({ args });
    onTestFinished(() => server.stop());
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    const { look, well } = await watch(server.url);
    await well();
    await begin(server, admin);
    await until("the trouble to be told", async () => says.test((await look()) ?? ""));
    await end(server, admin);
    await well();
  },
);

it("A node of a Cluster that refuses writes is reported, as are slots without one.", async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const { look, well } = await watch(cluster.url);
  await well();
  const [first, , last] = cluster.nodes;
  const admin = new Redis(last?.url ?? "");
  onTestFinished(() => admin.disconnect());
  await admin.config("SET", "min-replicas-to-write", 1);
  await until("the node to be told", async () => /^too few replicas/.test((await look()) ?? ""));
  await admin.config("SET", "min-replicas-to-write", 0);
  await well();
  await first?.kill();
  await until("the loss to be told", async () =>
    /^(does not answer|the Cluster does not serve all slots)/.test((await look()) ?? ""),
  );
});

it("Writes that were refused between two looks are reported once.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const { look, well } = await watch(server.url);
  await well();
  await admin.config("SET", "maxmemory", 1);
  await expect(admin.set("a", "b")).rejects.toThrow("OOM");
  await admin.config("SET", "maxmemory", 0);
  await until(
    "the refusal to be told",
    async () => (await look()) === "refused writes lately (OOM)",
  );
  await well();
});

it("Looks of one second share one question.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const { condition, reports } = await watch(server.url);
  await Promise.all(Array.from({ length: 50 }, () => condition.look()));
  expect(reports.length).toBeLessThanOrEqual(2);
});

it("A look under way at the end reports nothing.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const { condition, connection, reports } = await watch(server.url);
  await server.kill("SIGSTOP");
  const underWay = condition.look();
  condition.close();
  connection.disconnect();
  await underWay;
  await server.kill("SIGCONT");
  expect(reports.filter((reason) => reason !== null)).toEqual([]);
});
