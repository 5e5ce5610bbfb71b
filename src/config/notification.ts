/** Logs of notifications. */
import { DAY, SECOND } from "../domain/time/time.js";
import { definePart } from "./part.js";
import { count } from "./values.js";

export const notificationConfig = definePart(
  {
    LOG_TAIL_ENTRIES: count(256).describe(
      "entries of a log that Redis keeps; who was away for longer reads on in Postgres",
    ),
    LOG_TAIL_MS: count(DAY, SECOND).describe(
      "how long Redis keeps them, and a log without subscribers",
    ),
  },
  (env) => ({ logs: { entries: env.LOG_TAIL_ENTRIES, keepMs: env.LOG_TAIL_MS } }),
);
