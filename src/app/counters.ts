/** Builds what counts: the part of compose.ts that API and worker share. */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import { createActivityTable } from "../db/activity.js";
import type { Database } from "../db/client/database.js";
import { createCounterTable } from "../db/counters/counters.js";
import type { OutboxTable } from "../db/outbox.js";
import { SECOND } from "../domain/time/time.js";
import { type Job, joined, type RunnerDeps, startJob } from "../jobs/runner.js";
import { createActivityStore } from "../redis/activity/activity.js";
import type { RedisCallers } from "../redis/client/call.js";
import type { RedisClock } from "../redis/client/clock.js";
import type { Keys } from "../redis/client/keys.js";
import { createCounterStore } from "../redis/counters/counters.js";
import { createViewerRanges } from "../redis/counters/range.js";
import type { PubSub } from "../redis/pubsub/pubsub.js";
import { type ActivityService, createActivity } from "../services/activity.js";
import { type Counters, createCounters } from "../services/counters/counters.js";
import { createCounterFlush } from "../services/counters/flush.js";
import { createStatsNews } from "../services/counters/news.js";
import { createPopularity } from "../services/counters/popularity.js";
import { createCounterTrust } from "../services/counters/reload.js";
import type { Outbox } from "../services/outbox/outbox.js";

/** What counting stands on. */
export interface CountersFloor {
  readonly database: Database;
  readonly outboxTable: OutboxTable;
  readonly outbox: Outbox;
  readonly callers: RedisCallers;
  readonly keys: Keys;
  readonly pubsub: PubSub;
  readonly clock: RedisClock;
}

/** Something to be closed. */
interface Closable {
  close(): unknown;
}

/**
 * Longest wait for a reply about counters: a page goes on without Redis after this, once a second.
 */
const COUNTER_DEADLINE_MS = 500;
/** Bitmaps of ninety days and many users take a while; an admin waits. */
const ACTIVITY_DEADLINE_MS = 5 * SECOND;

/** What the API counts and reads with. */
export interface Counting extends Closable {
  readonly counters: Counters;
  readonly activity: ActivityService;
}

/** Opens what the API counts and reads with. */
export function openCounters(floor: CountersFloor, config: Config, log: Logger): Counting {
  const { caller, store, table, trust } = foundations(floor, config.counters, log);
  const news = createStatsNews({ pubsub: floor.pubsub, everyMs: config.live.conflationMs, log });
  const counters = createCounters({
    store,
    ranges: createViewerRanges(caller, floor.keys),
    trust,
    table,
    news,
    clock: floor.clock,
    breaker: caller,
  });
  const activityCaller = floor.callers.of("activity", {
    deadlineMs: ACTIVITY_DEADLINE_MS,
    degraded: { part: "activity", instead: "activity is not reported" },
  });
  const activity = createActivity({
    store: createActivityStore(activityCaller, floor.keys),
    table: createActivityTable(floor.database),
    nowMs: floor.clock.nowMs,
    log,
  });
  const close = async (): Promise<void> => {
    news.close();
    await activity.close();
  };
  return { counters, activity, close };
}

/**
 * The worker's part: what was counted goes to Postgres, and lists follow it. Closing flushes once
 * more.
 */
export async function startCounterJobs(
  floor: CountersFloor,
  runner: RunnerDeps,
  { counters }: Config,
  log: Logger,
): Promise<Job> {
  const { store, table, trust } = foundations(floor, counters, log);
  const { flush } = createCounterFlush({ store, table, trust, clock: floor.clock, log });
  const { refresh } = createPopularity({ ...floor, log });
  const jobs = [
    await startJob(runner, { name: "popularity", everyMs: counters.popularityMs, work: refresh }),
    await startJob(runner, {
      name: "flushing counters",
      everyMs: counters.flushMs,
      work: flush,
      atEnd: true,
    }),
  ];
  return joined(jobs);
}

function foundations(
  { database, callers, keys }: CountersFloor,
  options: Config["counters"],
  log: Logger,
) {
  const caller = callers.of("counters", {
    deadlineMs: COUNTER_DEADLINE_MS,
    degraded: { part: "counters", instead: "what was flushed last is read from Postgres" },
  });
  const store = createCounterStore(caller, keys, options);
  const table = createCounterTable(database);
  return { caller, store, table, trust: createCounterTrust({ store, table, log }) };
}
