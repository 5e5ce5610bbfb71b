/** Which users were active on which day. */
import { createActivityTable } from "../db/activity.js";
import { SECOND } from "../domain/time/time.js";
import { pruneJob } from "../jobs/prune.js";
import { createActivityStore } from "../redis/activity/activity.js";
import { ActivityResolver } from "../resolvers/activity.js";
import { createActivity } from "../services/activity.js";
import { defineSubject } from "./module.js";

/** A report reads bitmaps of up to ninety days. */
const ACTIVITY_DEADLINE_MS = 5 * SECOND;

export const activity = defineSubject({
  name: "activity",
  resolvers: [ActivityResolver],
  open({ infrastructure: { database, callers, keys, clock }, log, disposer }) {
    const table = createActivityTable(database);
    return {
      jobs: () => [pruneJob("activity", table)],
      serve() {
        const caller = callers.of("activity", {
          deadlineMs: ACTIVITY_DEADLINE_MS,
          degraded: { part: "activity", instead: "activity is not reported" },
        });
        const store = createActivityStore(caller, keys);
        const service = createActivity({ store, table, nowMs: clock.nowMs, log });
        disposer.add(() => service.close());
        return { services: service, resolvers: [new ActivityResolver(service)] };
      },
    };
  },
});
