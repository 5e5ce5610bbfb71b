/** Reads rows of one period of a board. */
import type { Result } from "ioredis";
import type { BoardRow, Run, RunStart } from "../../domain/leaderboard/leaderboard.js";
import type { Period, Window } from "../../domain/leaderboard/periods.js";
import type { NotLoaded } from "../client/memory-fence.js";
import { type BoardLink, type BoardShape, type BuildOf, closedField, periodKey } from "./link.js";
import { REACHED_SIZE, spellRun, toBoardRow } from "./rows.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    leaderboardRead(...args: (string | number)[]): Result<ReadReply, Context>;
  }
}

type ReadReply =
  | [NotLoaded]
  | ["archived"]
  | ["outside-window", string]
  | ["ok", string, number, number, number, number, ...string[]];

export interface ReadRequest {
  readonly period: Period;
  readonly window: Window;
  /**
   * Whether the window has to be the present one, by the clock
   * of Redis.
   */
  readonly present: boolean;
  readonly run: Run;
}

/** Rows of a board, best first. */
export interface ReadRows extends RunStart {
  readonly version: number;
  readonly total: number;
  readonly rows: readonly BoardRow[];
}

/**
 * Instead of rows: another build is served, another window is
 * present, or the period is no longer here.
 */
export type NotRead = NotLoaded | "archived" | { readonly nowMs: number };

export async function readPeriod(
  link: BoardLink,
  { board, generation }: BuildOf,
  request: ReadRequest,
): Promise<ReadRows | NotRead> {
  const { connection, keys, keysOf, call } = link;
  const { period, window, present, run } = request;
  const readKeys = [
    keys.board(board.id),
    ...keysOf(board.id, periodKey({ generation, period, startMs: window.startMs })),
  ];
  const what = [
    generation,
    closedField(period),
    board.tieRule,
    window.startMs,
    window.endMs,
    present ? "now" : "",
  ];
  const reply = await call("read", () =>
    connection.leaderboardRead(...readKeys, ...what, ...spellRun(run), REACHED_SIZE),
  );
  return readReply(board, reply);
}

function readReply({ order }: BoardShape, reply: ReadReply): ReadRows | NotRead {
  if (reply[0] === "outside-window") return { nowMs: Number(reply[1]) };
  if (reply[0] !== "ok") return reply[0];
  const [, version, total, position, better, distinctBetter, ...flat] = reply;
  const rows = Array.from({ length: flat.length / 3 }, (_, index) =>
    toBoardRow(order, flat.slice(3 * index, 3 * index + 3) as [string, string, string]),
  );
  return { version: Number(version), total, position, better, distinctBetter, rows };
}
