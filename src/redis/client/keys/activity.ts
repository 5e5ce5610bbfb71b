import type { KeySubject } from "./spec.js";

export const ACTIVITY_KEYS = {
  folder: "activity",
  title: "Users active on a day",
  owner: "redis/activity/activity.ts",
  commands: ["bitcount", "bitop", "exec", "multi", "pexpire"],
  families: {
    activityDay: {
      key: "activity:{activity}:<day>",
      type: "string",
      ttl: "140 days beyond the day",
      bound: "141; a bit for every user id that was ever given out",
      value: "A bitmap: bit `n` is 1 when user `n` did something on that day (UTC).",
      deleted: "It is read from Postgres again.",
    },
    activityLoaded: {
      key: "activity-loaded:{activity}:<day>",
      type: "string",
      ttl: "that of the day",
      bound: "141",
      value: "The replication id of the server that was loaded from Postgres.",
    },
    activityUnion: {
      key: "activity-union:{activity}:<report>:<part>",
      type: "string",
      ttl: "a minute",
      bound: "reports being made; some hundred parts each",
      value: "Bitmaps of a report while it is made.",
    },
  },
} as const satisfies KeySubject;
