/** The board of an event answers from the top that the event holds, and reads whatever else. */
import { describe, expect, it } from "vitest";
import type { RankedRow, Run } from "../../../src/domain/leaderboard/leaderboard.js";
import type { Period } from "../../../src/domain/leaderboard/periods.js";
import {
  type NamedSlice,
  readSlice,
  type WatchedBoard,
} from "../../../src/resolvers/leaderboard/snapshot.js";
import type { BoardSlice } from "../../../src/services/leaderboard/reads.js";

const READ = { total: -1 } as BoardSlice;
const reads = { read: async () => READ };
const top = (count: number): Run => ({ from: "place", place: 0, count });
const rowsOf = ({ slice }: NamedSlice) => slice.rows.map(({ owner }) => owner);

/** A board of today in an event that holds `rows` of `total`. */
function watched(rows: readonly string[], total: number): WatchedBoard {
  const slice = { period: "DAY", total, rows: rows.map((owner) => ({ owner }) as RankedRow) };
  const snapshot = { slice, labels: new Map([["a", "Ann"]]) };
  return { record: {}, snapshot } as unknown as WatchedBoard;
}

const ask = (
  board: WatchedBoard,
  run: Run | (() => Run),
  of: { period: Period; atMs: number | null } = { period: "DAY", atMs: null },
) => readSlice(reads, board, { of, run });

describe("the board of an event", () => {
  it("It answers the entries that the event holds, with their names, without a read.", async () => {
    const slice = await ask(watched(["a", "b", "c"], 9), top(2));
    expect([rowsOf(slice), slice.slice.total, slice.labels?.get("a")]).toEqual([
      ["a", "b"],
      9,
      "Ann",
    ]);
  });

  it("It answers its total without a read.", async () => {
    expect((await ask(watched(["a"], 9), top(0))).slice.total).toBe(9);
  });

  it("It answers more than it has, where it has all.", async () => {
    expect(rowsOf(await ask(watched(["a", "b"], 2), top(10)))).toEqual(["a", "b"]);
  });

  it.each([
    ["more entries than the event holds", top(3), undefined],
    ["another place", { from: "place", place: 1, count: 1 } as const, undefined],
    ["an owner", { from: "owner", owner: "a" } as const, undefined],
    ["a page behind a cursor", () => top(1), undefined],
    ["another period", top(1), { period: "WEEK", atMs: null } as const],
    ["another moment", top(1), { period: "DAY", atMs: 0 } as const],
  ])("It reads %s.", async (_, run, of) => {
    expect((await ask(watched(["a", "b"], 9), run, of)).slice).toBe(READ);
  });
});

it("A board outside of an event is read.", async () => {
  const { snapshot: _, ...board } = watched(["a"], 1);
  expect((await ask(board as WatchedBoard, top(1))).slice).toBe(READ);
});
