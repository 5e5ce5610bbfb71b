/** A Cluster has several servers: what one of them owes says nothing of the others. */
import { expect, onTestFinished, test } from "vitest";
import { createCallers } from "../../../src/redis/client/call.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { testLog } from "../../support/log.js";
import { startRedisCluster } from "../../support/redis-cluster.js";

const DEADLINE_MS = 200;

test("A late reply of one node fails that call alone, and keeps no other from being sent.", async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const connection = connectRedis({ url: cluster.url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const callers = createCallers({ connection });
  onTestFinished(() => callers.close());
  const caller = callers.of("cart", { deadlineMs: DEADLINE_MS });
  const never = caller.call("read", () => new Promise(() => {}));
  // Is under way when the other one is late, and answered right then.
  let answer: (value: string) => void = () => {};
  const replied = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const waiting = caller.call("read", () => replied);
  await never.catch(() => answer("here"));
  expect(await waiting).toBe("here");
  expect(caller.isOpen()).toBe(false);
  await caller.call("write", () => connection.set("{a}", "1"));
});
