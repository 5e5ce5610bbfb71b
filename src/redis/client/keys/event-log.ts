import type { KeySubject } from "./spec.js";

export const EVENT_LOG_KEYS = {
  folder: "event-log",
  title: "Logs that subscriptions follow",
  owner: "redis/event-log/tail.ts",
  commands: [],
  families: {
    eventLog: {
      key: "event-log:{<kind>:<id>}",
      type: "stream",
      ttl: "EVENT_LOG_MS since the last use",
      bound: "logs in use; EVENT_LOG_ENTRIES entries each",
      value:
        "The tail of a log, a cache of what Postgres has. Ids are `<sequence>-0`; `at` (ms) and " +
        "`entry`.",
      deleted: "It is read from Postgres again.",
    },
    eventLogState: {
      key: "event-log-state:{<kind>:<id>}",
      type: "hash",
      ttl: "EVENT_LOG_MS since the last use",
      bound: "logs in use",
      value:
        "`server`: replication id of the server that it was written on; another one is loaded " +
        "anew. `last`: the sequence that the tail reaches to, or `loading`: the process that " +
        "reads it from Postgres.",
    },
  },
} as const satisfies KeySubject;
