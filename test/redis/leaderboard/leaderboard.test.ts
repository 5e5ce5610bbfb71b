/**
 * What is on a board depends on the rows of the ledger and on nothing else: not on their order, nor
 * on how often they were applied.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  advance,
  MAX_SCORE,
  SCORE_OPERATORS,
  SORT_ORDERS,
  type Standing,
  TIE_RULES,
} from "../../../src/domain/leaderboard/leaderboard.js";
import { PERIODS } from "../../../src/domain/leaderboard/periods.js";
import { MINUTE } from "../../../src/domain/time/time.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createKeys, type Keys } from "../../../src/redis/client/keys.js";
import {
  type AppliedRow,
  answersSlice,
  type BoardStore,
  MAX_ANSWERS,
} from "../../../src/redis/leaderboard/leaderboard.js";
import type { BoardShape, BuildOf } from "../../../src/redis/leaderboard/link.js";
import { drillSize } from "../../support/drill.js";
import { testLog } from "../../support/log.js";
import { startRedisCluster, testRedis } from "../../support/redis.js";
import { ledgerRow, readyBoards, serveEmpty, WINDOWS } from "./leaderboard.fixture.js";

const rules = fc.record({
  operator: fc.constantFrom(...SCORE_OPERATORS),
  order: fc.constantFrom(...SORT_ORDERS),
  tieRule: fc.constantFrom(...TIE_RULES),
});
type Rules = typeof rules extends fc.Arbitrary<infer R> ? R : never;
const scores = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(MAX_SCORE, -MAX_SCORE, 0.1, 1 / 3),
);
const moves = fc.array(fc.tuple(fc.constantFrom("a", "b", "ab", "c", "é"), scores), {
  minLength: 1,
  maxLength: 30,
});

/** The rows of a ledger: where each leaves its owner. Refused ones are no rows. */
function ledgerOf(kind: Rules, submitted: readonly (readonly [string, number])[]): AppliedRow[] {
  const standings = new Map<string, Standing>();
  const ledger: AppliedRow[] = [];
  for (const [owner, score] of submitted) {
    const sequence = ledger.length + 1;
    const standing = advance(kind, standings.get(owner), { sequence, score, startMs: 0 });
    if (!standing) continue;
    standings.set(owner, standing);
    const shown = {
      owner,
      score: standing.score,
      reached: standing.reached,
      metadata: `of ${standing.source}`,
      submittedMs: 2_000,
    };
    ledger.push({
      sequence,
      owner,
      answer: "",
      rows: Object.fromEntries(PERIODS.map((period) => [period, shown])),
    });
  }
  return ledger;
}

/** The whole drill takes minutes. */
const DRILL_MS = 20 * MINUTE;

let boards = 0;

/** An empty board of a kind. */
function emptyBoard(store: BoardStore, { order, tieRule }: Rules): Promise<BuildOf> {
  const board: BoardShape = { id: ++boards, order, tieRule, periods: PERIODS };
  return serveEmpty(store, board);
}

function apply(store: BoardStore, build: BuildOf, rows: readonly AppliedRow[]) {
  const [first, last] = [rows[0]!.sequence, rows.at(-1)!.sequence];
  return store.apply(build, { windows: WINDOWS, range: [first, last], submittedMs: 2_000, rows });
}

/** Everything there is to see of a board. */
async function allOf(store: BoardStore, build: BuildOf) {
  const read = (run: Parameters<BoardStore["read"]>[1]["run"]) =>
    Promise.all(
      PERIODS.map((period) =>
        store.read(build, { period, window: WINDOWS[period]!, present: true, run }),
      ),
    );
  const ranks = await Promise.all(
    [1, 2, 3, 4, 5].map((rank) => read({ from: "rank", rank, count: 2 })),
  );
  return { all: await read({ from: "place", place: 0, count: 100 }), ranks };
}

describe.each(["one server", "a Cluster"])("on %s", (kind) => {
  let place: { url: string; keys: Keys };
  let stop = async (): Promise<void> => {};
  beforeAll(async () => {
    if (kind === "one server") place = testRedis();
    else {
      const cluster = await startRedisCluster();
      place = { url: cluster.url, keys: createKeys() };
      stop = cluster.stop;
    }
  });
  afterAll(() => stop());

  it(
    "Rows in any order and batches, some of them twice, make the same board.",
    async () => {
      const store = await readyBoards(place);
      const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 30, maxLength: 30 });
      const property = fc.asyncProperty(
        rules,
        moves,
        sizes,
        fc.infiniteStream(fc.nat()),
        async (values, submitted, cuts, random) => {
          const ledger = ledgerOf(values, submitted);
          if (ledger.length === 0) return;
          const [inOrder, shuffled] = [
            await emptyBoard(store, values),
            await emptyBoard(store, values),
          ];
          for (const row of ledger) await apply(store, inOrder, [row]);
          const batches: AppliedRow[][] = [];
          for (let at = 0; at < ledger.length; at += cuts[batches.length - 1]!)
            batches.push(ledger.slice(at, at + cuts[batches.length]!));
          const twice = [...batches, ...batches.filter(() => random.next().value % 3 === 0)];
          const order = twice
            .map((batch) => [random.next().value, batch] as const)
            .sort(([a], [b]) => a - b);
          await Promise.all(order.map(([, batch]) => apply(store, shuffled, batch)));
          expect(await allOf(store, shuffled)).toEqual(await allOf(store, inOrder));
          expect(await store.look(shuffled.board.id)).toMatchObject({
            applied: ledger.length,
            verified: true,
          });
        },
      );
      await fc.assert(property, {
        numRuns: drillSize({ sample: kind === "one server" ? 60 : 20, full: 5_000 }),
        seed: 7,
      });
    },
    DRILL_MS,
  );

  it("A gap keeps the mark where nothing is missing, and still counts as a version.", async () => {
    const store = await readyBoards(place);
    const values = { operator: "LATEST", order: "DESC", tieRule: "DENSE" } as const;
    const build = await emptyBoard(store, values);
    const ledger = ledgerOf(
      values,
      Array.from({ length: 6 }, (_, at) => ["a", at] as const),
    );
    const marks: unknown[] = [];
    for (const at of [0, 4, 2, 3, 1, 5]) {
      const applied = await apply(store, build, [ledger[at]!]);
      marks.push([
        applied !== "not-loaded" && applied.version,
        (await store.look(build.board.id))?.applied,
      ]);
    }
    expect(marks).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 5],
      [6, 6],
    ]);
  });

  it("A period that is not the present one or is archived is refused.", async () => {
    const store = await readyBoards(place);
    const build = await emptyBoard(store, {
      operator: "SUM",
      order: "DESC",
      tieRule: "COMPETITION",
    });
    const run = { from: "place", place: 0, count: 1 } as const;
    const past = { startMs: 1_000, endMs: 2_000 };
    const refused = await store.read(build, { period: "DAY", window: past, present: true, run });
    expect(refused).toMatchObject({ nowMs: expect.any(Number) });
    expect(
      await store.read(build, { period: "DAY", window: past, present: false, run }),
    ).toMatchObject({ total: 0 });
    await store.drop(
      build.board.id,
      { generation: build.generation, period: "DAY", startMs: past.startMs },
      past.endMs,
    );
    expect(await store.read(build, { period: "DAY", window: past, present: false, run })).toBe(
      "archived",
    );
    // What comes late finds it closed.
    const windows = { ...WINDOWS, DAY: past };
    const rows = ledgerOf({ operator: "SUM", order: "DESC", tieRule: "COMPETITION" }, [["a", 1]]);
    await store.apply(build, { windows, range: [1, 1], submittedMs: 1_500, rows });
    expect((await store.built(build.board.id)).map(({ period }) => period).sort()).toEqual([
      "ALL_TIME",
      "MONTH",
      "WEEK",
    ]);
  });

  it("Another build than the one asked for is not answered.", async () => {
    const store = await readyBoards(place);
    const values = { operator: "BEST", order: "ASC", tieRule: "COMPETITION" } as const;
    const build = await emptyBoard(store, values);
    const old = { ...build, generation: "1" };
    const run = { from: "place", place: 0, count: 1 } as const;
    expect(await store.read(old, { period: "DAY", window: WINDOWS.DAY!, present: true, run })).toBe(
      "not-loaded",
    );
    expect(await apply(store, old, ledgerOf(values, [["a", 1]]))).toBe("not-loaded");
    expect(await store.begin(build.board, "one")).not.toBeNull();
    expect(await store.begin(build.board, "another")).toBeNull();
    expect(await store.load(build, "another", { period: "DAY", startMs: 1, rows: [] })).toBe(false);
    expect(
      await store.serve(build, "another", {
        windows: WINDOWS,
        applied: 0,
        builtMs: 1,
        closedMs: {},
      }),
    ).toBe(false);
  });
});

it("A board keeps few answers for repeats, and answers submissions beyond them too.", async () => {
  const place = testRedis();
  const store = await readyBoards(place);
  const build = await emptyBoard(store, { operator: "BEST", order: "DESC", tieRule: "DENSE" });
  const answers = place.keys.boardAnswers(build.board.id, answersSlice(2_000));
  const connection = connectRedis({ url: place.url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  for (let from = 0; from < MAX_ANSWERS; from += 10_000)
    await connection.hset(
      answers,
      ...Array.from({ length: 10_000 }, (_, at) => [`earlier ${from + at}`, ""]).flat(),
    );
  const submission = {
    windows: WINDOWS,
    range: [1, 1],
    submittedMs: 2_000,
    rows: [ledgerRow(1, "ada", 5)],
  } as const;
  const [first, repeated] = [
    await store.apply(build, submission),
    await store.apply(build, submission),
  ];
  expect(await connection.hlen(answers)).toBe(MAX_ANSWERS);
  expect(first).toMatchObject({ changes: [{ ALL_TIME: { rank: 1 } }] });
  expect(repeated).toMatchObject({ changes: [{ ALL_TIME: { rank: 1 } }] });
});
