/** Logs of notifications. */
import { DAY, SECOND } from "../domain/time/time.js";
import { definePart } from "./part.js";
import { count } from "./values.js";

export const notificationConfig = definePart(
  {
    EVENT_LOG_ENTRIES: count(256).describe(
      "entries of a log that Redis keeps; who was away for longer reads on in Postgres",
    ),
    EVENT_LOG_MS: count(DAY, SECOND).describe(
      "how long Redis keeps them, and a log without subscribers",
    ),
  },
  (env) => ({ eventLogs: { entries: env.EVENT_LOG_ENTRIES, keepMs: env.EVENT_LOG_MS } }),
);
