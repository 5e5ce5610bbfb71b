/**
 * How rows of a board are spelled in Redis.
 *
 * A ZSET sorts by the key, then by member: so a member is the sequence at which its owner reached
 * the score, in eleven digits of base 36, and the owner. Equal scores stand in the order in which
 * they were reached, and no bit of the score is spent on it. What else is shown stands in a HASH by
 * owner: `<sequence of the last row applied>|<reached>|<ms>|<metadata, with "+" before it, or "-"
 * for none>`.
 */
import {
  type BoardRow,
  type SortOrder,
  scoreOf,
  sortKey,
} from "../../domain/leaderboard/leaderboard.js";

/** Digits of {@link reachedText}: the largest safe integer has eleven in base 36. */
export const REACHED_SIZE = 11;

/** A sequence in a fixed width, so that text is in the order of numbers. */
export const reachedText = (sequence: number): string =>
  sequence.toString(36).padStart(REACHED_SIZE, "0");

/** The arguments that put a row on a board: sort key, reached, value of the hash. */
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

/** Reads a row back: member, sort key and value of the hash, as the read script answers them. */
export function readRow(
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
