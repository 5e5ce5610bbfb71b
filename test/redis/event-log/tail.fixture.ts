/** Tails of logs, on one server or on a Cluster. */
import { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import type { EventLogTopicKind, Topic } from "../../../src/domain/events/events.js";
import {
  connectRedis,
  type RedisConnection,
  whenReady,
} from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { createEventLogTail, type EventLogBounds } from "../../../src/redis/event-log/tail.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";

/** Bounds that no test runs into unless it says so. */
export const BOUNDS: EventLogBounds = { entries: 100, keepMs: 3_600_000, deadlineMs: 10_000 };

/** The log of this id. */
export const topic = (id: number): Topic<EventLogTopicKind> => ({ kind: "notification", id });

/** Tails on a connection of their own, which closes with the test. */
export async function openTails({
  url,
  keys,
  ...bounds
}: { url: string; keys: Keys } & Partial<EventLogBounds>) {
  const connection: RedisConnection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const all = { ...BOUNDS, ...bounds };
  return { connection, tail: createEventLogTail(testCaller(connection, all), keys, all) };
}

/** What is published on the channel of a log, in order. */
export async function hearing(url: string, keys: Keys, id: number): Promise<string[]> {
  const heard: string[] = [];
  const listener = new Redis(url);
  onTestFinished(() => listener.disconnect());
  listener.on("message", (_channel, text: string) => heard.push(text));
  await listener.subscribe(keys.topic("notification", id));
  return heard;
}
