/**
 * Boards of tests: everything from the ledger to Redis, put together as app/leaderboard.ts does,
 * with a clock that a test may set.
 */

import { onTestFinished } from "vitest";
import { createUserTable } from "../../../src/db/account/users.js";
import { createProductTable } from "../../../src/db/catalogue/products.js";
import type { Database, Tx } from "../../../src/db/client/database.js";
import { createBoardTable } from "../../../src/db/leaderboard/leaderboards.js";
import { createScoreLedger, type ScoreLedger } from "../../../src/db/leaderboard/ledger.js";
import type { BoardDraft } from "../../../src/domain/leaderboard/leaderboard.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { openRedisClock, type RedisClock } from "../../../src/redis/client/clock.js";
import {
  connectRedis,
  type RedisConnection,
  whenReady,
} from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { createBoardStore } from "../../../src/redis/leaderboard/leaderboard.js";
import { createBoards } from "../../../src/services/leaderboard/composition.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";

/** Where boards are kept. */
export interface BoardPlace {
  readonly database: Database;
  readonly url: string;
  readonly keys: Keys;
}

/** A time that a test has chosen, in ms since epoch; null for the real one. */
export interface TestClock {
  nowMs: number | null;
}

export type BoardKit = Awaited<ReturnType<typeof openBoards>>;

/** Opens a process's worth of boards; its connection goes with the test. */
export async function openBoards(
  { database, url, keys }: BoardPlace,
  clock: TestClock = { nowMs: null },
) {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const redisClock = await openRedisClock({
    connection,
    telemetry: silentTelemetry,
    instead: async () => Date.now(),
  });
  onTestFinished(() => redisClock.close());
  return putTogether({ database, connection, keys, clock, redisClock });
}

interface Together extends Omit<BoardPlace, "url"> {
  readonly connection: RedisConnection;
  readonly clock: TestClock;
  readonly redisClock: RedisClock;
}

function putTogether({ database, connection, keys, clock, redisClock }: Together) {
  const log = testLog();
  const store = createBoardStore(testCaller(connection), keys);
  const ledger = atTime(createScoreLedger(database), clock);
  /** What was published. */
  const told: { kind: string; payload: unknown }[] = [];
  const pubsub = {
    publish: async ({ kind }: { kind: string }, payload: unknown) =>
      void told.push({ kind, payload }),
  };
  const labels = { users: createUserTable(database), products: createProductTable(database) };
  const parts = {
    database,
    store,
    pubsub,
    clock: redisClock,
    labels,
    everyMs: 0,
    telemetry: { scores() {} },
    log,
    ledger,
    waitMs: 20_000,
  };
  return {
    connection,
    store,
    ledger,
    told,
    boards: createBoardTable(database),
    ...createBoards(parts),
  };
}

/** The ledger at the time of the test. */
function atTime(ledger: ScoreLedger, clock: TestClock): ScoreLedger {
  return {
    ...ledger,
    async lock(tx: Tx, boardIds) {
      const heads = await ledger.lock(tx, boardIds);
      return heads.map((head) => ({ ...head, nowMs: clock.nowMs ?? head.nowMs }));
    },
    async heads(boardIds) {
      const heads = await ledger.heads(boardIds);
      return heads.map((head) => ({ ...head, nowMs: clock.nowMs ?? head.nowMs }));
    },
  };
}

let made = 0;

/** A board's draft that no other test has. */
export const boardDraft = (values: Partial<BoardDraft> = {}): BoardDraft => ({
  slug: `board-${++made}`,
  title: "A board",
  operator: "BEST",
  order: "DESC",
  tieRule: "FIRST_TO_REACH",
  periods: ["ALL_TIME", "MONTH", "WEEK", "DAY"],
  timeZone: "Europe/Berlin",
  ...values,
});
