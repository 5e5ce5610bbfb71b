/** The work behind the API: the outbox, broadcasts, boards, counters, and what runs out. */

import { createActivityTable } from "../db/activity.js";
import { createCounterTable } from "../db/counters.js";
import { createNotificationTable } from "../db/notifications.js";
import { createOperationTable } from "../db/operations.js";
import { startBoardUpkeep } from "../jobs/board-upkeep.js";
import { startOutboxRelay } from "../jobs/outbox-relay.js";
import { startPruning } from "../jobs/prune.js";
import type { Closing } from "./closing.js";
import { startCounterJobs } from "./counters.js";
import type { ComposeOptions, Floor } from "./floor.js";
import { startNotificationJobs } from "./notifications.js";

/** Starts everything that a worker does. */
export async function startWorker(floor: Floor, { config, log }: ComposeOptions, closing: Closing): Promise<void> {
  const { database, outbox, boards, revocationTable, auditTable } = floor;
  const relay = await startOutboxRelay({ database, outbox, ...config.outbox, log });
  closing.add(() => relay.close());
  const broadcasts = await startNotificationJobs(floor, config.outbox, log);
  closing.add(() => broadcasts.close());
  const pruning = startPruning({
    tables: {
      operations: createOperationTable(database),
      revocations: revocationTable,
      audit: auditTable,
      counters: createCounterTable(database),
      activity: createActivityTable(database),
      notifications: createNotificationTable(database),
    },
    log,
  });
  closing.add(() => pruning.close());
  const upkeep = startBoardUpkeep({ upkeep: boards.upkeep, everyMs: config.boards.upkeepMs, log });
  closing.add(() => upkeep.close());
  const jobs = startCounterJobs(floor, config, log);
  closing.add(() => jobs.close());
}
