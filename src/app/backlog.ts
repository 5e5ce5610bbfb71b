/**
 * What piles up where no worker takes it away, read for the metrics. Each source is read for
 * itself.
 */
import type { Config } from "../config/config.js";
import { createBoardTable } from "../db/leaderboard/leaderboards.js";
import { createScoreLedger } from "../db/leaderboard/ledger.js";
import { createBroadcastTable } from "../db/notification/broadcasts.js";
import { SECOND } from "../domain/time/time.js";
import { createCounterStore } from "../redis/counters/counters.js";
import { createBoardStore } from "../redis/leaderboard/leaderboard.js";
import { countBehind } from "../services/leaderboard/behind.js";
import { aliveOf } from "../services/workers.js";
import type { Backlog } from "../telemetry/metrics-sources.js";
import type { Floor } from "./infrastructure.js";

/** Longest wait for one reply; a scrape is answered without rather than late. */
const DEADLINE_MS = SECOND / 2;

/** Where the numbers come from. */
export function createBacklog(
  { database, callers, keys, workers }: Floor,
  { counters }: Config,
): Backlog {
  const broadcasts = createBroadcastTable();
  const options = { deadlineMs: DEADLINE_MS };
  const counterStore = createCounterStore(callers.of("counters", options), keys, counters);
  const store = createBoardStore(callers.of("leaderboard", options), keys);
  const boards = { boards: createBoardTable(database), ledger: createScoreLedger(database), store };
  return {
    async broadcasts() {
      const { open, setAside, oldestMs } = await broadcasts.state(database);
      return {
        souk_broadcasts_open: open,
        souk_broadcasts_set_aside: setAside,
        souk_broadcasts_oldest_seconds: oldestMs / SECOND,
      };
    },
    async counters() {
      const { fields, oldestMs } = await counterStore.unflushed();
      return {
        souk_counters_unflushed_fields: fields,
        souk_counters_unflushed_seconds: oldestMs / SECOND,
      };
    },
    async boards() {
      const { behind, sequences } = await countBehind(boards);
      return { souk_boards_behind: behind, souk_boards_unapplied_scores: sequences };
    },
    workers: async () => ({ souk_workers: aliveOf(await workers.seen()).length }),
  };
}
