/**
 * How rows of a board are spelled in Redis.
 *
 * A ZSET sorts by key, then by member. A member is a
 * sequence, in eleven digits of base 36, and the owner. The
 * owner reached the score at that sequence. So equal scores
 * stand in the order in which they were reached. The rest
 * stands in a HASH by owner: `<sequence of the last row
 * applied>|<reached>|<ms>|<metadata, with "+" before it, or
 * "-" for none>`.
 */
import {
  type BoardRow,
  type Run,
  type SortOrder,
  scoreOf,
  sortKey,
} from "../../domain/leaderboard/leaderboard.js";

/**
 * Digits of {@link reachedText}: the largest safe integer
 * has eleven in base 36.
 */
export const REACHED_SIZE = 11;

/**
 * A sequence in a fixed width, so that text is in the order
 * of numbers.
 */
const reachedText = (sequence: number): string => sequence.toString(36).padStart(REACHED_SIZE, "0");

/**
 * The arguments that put a row on a board: sort key,
 * reached, value of the hash.
 */
export function spellRow(
  order: SortOrder,
  row: BoardRow,
  sequence: number,
): [key: string, reached: string, value: string] {
  const reached = reachedText(row.reached);
  const metadata = row.metadata === null ? "-" : `+${row.metadata}`;
  return [
    String(sortKey(order, row.score)),
    reached,
    `${sequence}|${reached}|${row.submittedMs}|${metadata}`,
  ];
}

/**
 * Reads a row back: member, sort key and value of the hash,
 * as the read script answers them.
 */
export function toBoardRow(
  order: SortOrder,
  [member, key, value]: readonly [string, string, string],
): BoardRow {
  const match = /^\d+\|(\w+)\|(\d+)\|([+-])([\s\S]*)$/.exec(value);
  if (!match) throw new Error(`The value of ${member} on a board is not one of ours.`);
  const [, reached = "", submittedMs, sign, metadata = ""] = match;
  return {
    owner: member.slice(REACHED_SIZE),
    score: scoreOf(order, Number(key)),
    reached: Number.parseInt(reached, 36),
    metadata: sign === "+" ? metadata : null,
    submittedMs: Number(submittedMs),
  };
}

/** The arguments of the read script that say which rows are read. */
export function spellRun(
  run: Run,
): [from: string, what: string | number, count: number, reached: string] {
  switch (run.from) {
    case "place":
      return ["place", run.place, run.count, ""];
    case "rank":
      return ["rank", run.rank, run.count, ""];
    case "after":
      return ["after", String(run.key), run.count, reachedText(run.reached)];
    case "owner":
      return ["owner", run.owner, 1, ""];
    case "around":
      return ["around", run.owner, run.radius, ""];
  }
}
