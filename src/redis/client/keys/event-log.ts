import type { KeySubject } from "./spec.js";

export const EVENT_LOG_KEYS = {
  folder: "event-log",
  title: "Logs that subscriptions follow",
  owner: "redis/event-log/event-log.ts, redis/event-log/tail.ts",
  commands: [],
  families: {
    log: {
      key: "log:{<kind>:<id>}",
      type: "stream",
      ttl: "LOG_TAIL_MS since the last use",
      bound: "logs in use; LOG_TAIL_ENTRIES entries each",
      value:
        "Ids are `<sequence>-0`; `at` (ms) and `entry`. Of a durable log it is the tail, a cache " +
        "of what Postgres has.",
      deleted:
        "The tail of a durable log is read from Postgres again. The readers of a log that lives " +
        "in Redis alone get EPOCH_CHANGED.",
    },
    logState: {
      key: "log-state:{<kind>:<id>}",
      type: "hash",
      ttl: "LOG_TAIL_MS since the last use",
      bound: "logs in use",
      value:
        "`server`: replication id of the server that it was written on; another one is loaded " +
        "anew. Of a durable log `last`: the sequence that the tail reaches to, or `loading`: the " +
        "process that reads it from Postgres. Of a log in Redis alone `epoch`, `sequence`.",
    },
    logOperation: {
      key: "log-operation:{<kind>:<id>}:<operation>",
      type: "string",
      ttl: "a day",
      owner: "redis/event-log/event-log.ts",
      bound: "appends of a day to logs that live in Redis alone",
      value: "`<epoch>:<sequence>` of the entry that the operation appended.",
    },
  },
} as const satisfies KeySubject;
