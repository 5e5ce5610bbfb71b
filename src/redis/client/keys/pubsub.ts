import type { KeySubject } from "./spec.js";

export const PUBSUB_KEYS = {
  folder: "pubsub",
  title: "Channels",
  owner: "redis/pubsub/pubsub.ts",
  commands: ["publish", "subscribe", "unsubscribe"],
  families: {
    topic: {
      key: "topic:<kind>:<id>",
      type: "channel",
      ttl: "-",
      bound: "topics with a subscriber",
    },
    heartbeat: {
      key: "heartbeat:<connection>",
      type: "channel",
      ttl: "-",
      owner: "redis/client/heartbeat.ts, redis/cache/tracking.ts",
      bound: "one per subscriber connection",
    },
  },
} as const satisfies KeySubject;
