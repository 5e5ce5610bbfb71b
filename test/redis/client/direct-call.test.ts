/** Direct calls: what a silent Redis costs each, and what is measured. */
import { expect, it, onTestFinished } from "vitest";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createDirectCaller } from "../../../src/redis/client/direct-call.js";
import { testLog } from "../../support/log.js";
import { startRedisServer } from "../../support/redis-server.js";

const CHANNEL = "direct";

async function open() {
  const server = await startRedisServer();
  const [connection, subscriber] = [
    connectRedis({ url: server.url, role: "requests", log: testLog() }),
    connectRedis({ url: server.url, role: "tracker", log: testLog() }),
  ];
  onTestFinished(async () => {
    connection.disconnect();
    subscriber.disconnect();
    await server.kill("SIGCONT").catch(() => {});
    await server.stop();
  });
  await Promise.all([whenReady(connection, 30_000), whenReady(subscriber, 30_000)]);
  const heard: string[] = [];
  await subscriber.subscribe(CHANNEL);
  subscriber.on("message", (_, text) => heard.push(text));
  const calls: string[] = [];
  const direct = createDirectCaller(
    { redisRoundTrip: (what, _, failed) => void calls.push(`${what} ${failed}`) },
    "thing",
  );
  const publish = (text: string, deadlineMs: number): Promise<number> =>
    direct.sendWithin(deadlineMs, "publish", () => connection.publish(CHANNEL, text));
  return { server, connection, direct, publish, heard, calls };
}

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(() => null).catch((error: unknown) => error);

it("A late reply keeps no later call from being sent.", async () => {
  const { server, publish, heard, calls } = await open();
  await server.kill("SIGSTOP");
  for (const text of ["1", "2"]) {
    const error = await failureOf(publish(text, 50));
    expect(error).toBeInstanceOf(RedisUnavailable);
    expect(error).toMatchObject({ mayBeDone: true });
  }
  const third = publish("3", 30_000);
  await server.kill("SIGCONT");
  await third;
  await expect.poll(() => heard).toEqual(["1", "2", "3"]);
  expect(calls).toEqual(["thing publish true", "thing publish true", "thing publish false"]);
});

it("A refusal says that nothing was done, and keeps the error of Redis.", async () => {
  const { connection, direct, calls } = await open();
  const refused = direct.sendWithin(30_000, "get", () => connection.call("GET") as Promise<string>);
  const error = await failureOf(refused);
  expect(error).toBeInstanceOf(RedisUnavailable);
  expect(error).toMatchObject({
    mayBeDone: false,
    cause: { message: expect.stringContaining("wrong number of arguments") },
  });
  expect(calls).toEqual(["thing get true"]);
});

it("A call without a deadline passes the error of Redis through.", async () => {
  const { connection, direct, calls } = await open();
  await expect(direct.send("get", () => connection.call("GET"))).rejects.toMatchObject({
    name: "ReplyError",
  });
  expect(await direct.send("ping", () => connection.ping())).toBe("PONG");
  expect(calls).toEqual(["thing get true", "thing ping false"]);
});

it("A call that throws at once rejects with that error, and is measured.", async () => {
  const calls: string[] = [];
  const direct = createDirectCaller(
    { redisRoundTrip: (what, _, failed) => void calls.push(`${what} ${failed}`) },
    "thing",
  );
  const call = direct.send("read", () => {
    throw new Error("no such key");
  });
  await expect(call).rejects.toThrow("no such key");
  expect(calls).toEqual(["thing read true"]);
});
