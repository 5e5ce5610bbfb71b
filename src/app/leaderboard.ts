/** Builds leaderboards, which API and worker share. */

import { createUserTable } from "../db/account/users.js";
import { createProductTable } from "../db/catalogue/products.js";
import { SECOND } from "../domain/time/time.js";
import { createBoardStore } from "../redis/leaderboard/leaderboard.js";
import { type Boards, createBoards } from "../services/leaderboard/boards.js";
import type { Closing } from "./disposer.js";
import type { ComposeOptions, Floor } from "./infrastructure.js";

/** Longest wait for a reply about a leaderboard. */
const BOARD_DEADLINE_MS = SECOND;

/** Opens the boards. */
export function openBoards(
  {
    database,
    callers,
    keys,
    pubsub,
    clock,
    metrics: telemetry,
  }: Pick<Floor, "database" | "callers" | "keys" | "pubsub" | "clock" | "metrics">,
  { config, log }: Pick<ComposeOptions, "config" | "log">,
  closing: Closing,
): Boards {
  const caller = callers.of("leaderboard", {
    deadlineMs: BOARD_DEADLINE_MS,
    degraded: { part: "leaderboards", instead: "leaderboards are refused" },
  });
  const store = createBoardStore(caller, keys);
  const labels = { users: createUserTable(database), products: createProductTable(database) };
  const boards = createBoards({
    database,
    store,
    pubsub,
    clock,
    labels,
    everyMs: config.live.conflationMs,
    telemetry,
    log,
  });
  closing.add(() => boards.close());
  return boards;
}
