/** Entries of leaderboards, and pages of them. */
import { BadUserInput } from "../../domain/errors.js";
import {
  type BoardRecord,
  percentileOf,
  type RankedRow,
  type Run,
  sortKey,
} from "../../domain/leaderboard/leaderboard.js";
import type { Period, Window } from "../../domain/leaderboard/periods.js";
import { decodeCursor, encodeCursor, type Position } from "../../domain/page.js";
import type { LeaderboardEntry } from "../../schema/leaderboard.js";
import type { PageInfo } from "../../schema/page.js";
import type { BoardSlice } from "../../services/leaderboard/reads.js";
import type { NamedSlice } from "./snapshot.js";

/**
 * An entry as clients see it. @param labels known names of
 * owners
 */
export function toEntry(
  row: RankedRow,
  total: number,
  labels?: ReadonlyMap<string, string>,
): LeaderboardEntry {
  const { rank, score, owner, metadata, submittedMs, better } = row;
  const submittedAt = new Date(submittedMs).toISOString();
  return {
    rank,
    score,
    owner,
    metadata,
    submittedAt,
    percentile: percentileOf(total, better),
    knownLabel: labels?.get(owner) ?? null,
  };
}

/** A page of entries: the value behind the connection type. */
export class EntryPage {
  constructor(
    private readonly board: BoardRecord,
    private readonly read: NamedSlice,
    private readonly hasPrevious: boolean,
  ) {}

  private get slice(): BoardSlice {
    return this.read.slice;
  }

  get edges() {
    const { slice, labels } = this.read;
    return slice.rows.map((row, index) => ({
      cursor: this.cursorOf(index),
      node: toEntry(row, slice.total, labels),
    }));
  }

  get totalCount(): number {
    return this.slice.total;
  }

  get pageInfo(): PageInfo {
    const { rows, position, total } = this.slice;
    const [startCursor, endCursor] =
      rows.length > 0 ? [this.cursorOf(0), this.cursorOf(rows.length - 1)] : [null, null];
    return {
      hasNextPage: rows.length > 0 && position + rows.length < total,
      hasPreviousPage: this.hasPrevious,
      startCursor,
      endCursor,
    };
  }

  /**
   * A cursor of a live period names a position in the order.
   * It stays valid when other entries move. In an archived
   * period it is a number.
   */
  private cursorOf(index: number): string {
    const { rows, position, period, window, archived } = this.slice;
    const { score, reached } = rows[index] as RankedRow;
    const place = archived
      ? { value: `#${position + index + 1}`, id: 1 }
      : { value: String(sortKey(this.board.order, score)), id: reached };
    return encodeCursor(listName(this.board, period, window), place);
  }
}

/**
 * The run of entries after a cursor. Throws BadUserInput for a
 * cursor of another board or period.
 */
export function runAfter(
  board: BoardRecord,
  { period, after, count }: { period: Period; after: string; count: number },
): (window: Window) => Run {
  return (window) => {
    const { value, id } = decodeCursor(listName(board, period, window), after) as Position;
    const [text, key] = [String(value), Number(value)];
    if (/^#\d{1,9}$/.test(text)) return { from: "place", place: Number(text.slice(1)), count };
    if (!Number.isFinite(key) || String(key) !== text || id < 1)
      throw new BadUserInput("after is not a cursor of this list.", ["after"]);
    return { from: "after", key, reached: id, count };
  };
}

/** Each window has its own list: cursors do not outlive it. */
const listName = ({ id }: BoardRecord, period: Period, { startMs }: Window): string =>
  `board:${id}:${period}:${startMs}`;
