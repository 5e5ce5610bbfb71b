/** Builds leaderboards, which API and worker share. */

import { createUserTable } from "../db/account/users.js";
import { createProductTable } from "../db/catalogue/products.js";
import { SECOND } from "../domain/time/time.js";
import { createBoardStore } from "../redis/leaderboard/leaderboard.js";
import { type Boards, createBoards } from "../services/leaderboard/composition.js";
import type { Closing } from "./disposer.js";
import type { ComposeOptions, Floor } from "./infrastructure.js";

/** Longest wait for a reply about a leaderboard. */
const BOARD_DEADLINE_MS = SECOND;

/** Opens the boards. */
export function openBoards(
  {
    database,
    requests: connection,
    keys,
    pubsub,
    clock,
    metrics: telemetry,
  }: Pick<Floor, "database" | "requests" | "keys" | "pubsub" | "clock" | "metrics">,
  { config, log }: Pick<ComposeOptions, "config" | "log">,
  closing: Closing,
): Boards {
  const store = createBoardStore({ connection, keys, deadlineMs: BOARD_DEADLINE_MS, telemetry });
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
