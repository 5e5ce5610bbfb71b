/**
 * Every query of a board equals what a reader with pencil and paper would say: over random boards
 * of all kinds.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SERVICE } from "../../../src/domain/account/principal.js";
import {
  type BoardDraft,
  type BoardRecord,
  MAX_SCORE,
  type RankedRow,
  type Run,
  SCORE_OPERATORS,
  SORT_ORDERS,
  sortKey,
  TIE_RULES,
} from "../../../src/domain/leaderboard/leaderboard.js";
import { PERIODS, type Period } from "../../../src/domain/leaderboard/periods.js";
import { MINUTE } from "../../../src/domain/time/time.js";
import { drillSize } from "../../support/drill.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { testRedis } from "../../support/redis.js";
import { type BoardKit, boardDraft, openBoards } from "./leaderboard.fixture.js";

/** The whole drill takes minutes. */
const DRILL_MS = 20 * MINUTE;

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.close());

/** A double as a whole number of 2^-1074, which every double is. */
function exactly(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const [exponent, fraction] = [(word >> 52n) & 0x7ffn, word & 0xf_ffff_ffff_ffffn];
  const size = exponent === 0n ? fraction : (fraction + (1n << 52n)) << (exponent - 1n);
  return value < 0 ? -size : size;
}
const isBeyond = (sum: bigint): boolean => sum > exactly(MAX_SCORE) || sum < -exactly(MAX_SCORE);

/** One owner on a board, as the oracle knows them. */
interface Known {
  readonly owner: string;
  score: number;
  reached: number;
}

/** A board as a list, with nothing clever about it. */
class Oracle {
  private readonly owners: Known[] = [];
  private sequence = 0;

  constructor(private readonly draft: BoardDraft) {}

  /** Submits; false when the board has to refuse. */
  submit(owner: string, sent: number): boolean {
    // The negative zero is the same number.
    const score = sent + 0;
    const known = this.owners.find((one) => one.owner === owner);
    const next = !known ? score : this.combine(known.score, score);
    if (known && this.draft.operator === "SUM" && isBeyond(exactly(known.score) + exactly(score)))
      return false;
    this.sequence += 1;
    if (!known) this.owners.push({ owner, score, reached: this.sequence });
    else if (next !== known.score) Object.assign(known, { score: next, reached: this.sequence });
    return true;
  }

  /** All entries in order, with their ranks. */
  entries() {
    const sign = this.draft.order === "DESC" ? -1 : 1;
    const sorted = [...this.owners].sort(
      (a, b) =>
        sign * (a.score > b.score ? 1 : a.score < b.score ? -1 : 0) || a.reached - b.reached,
    );
    return sorted.map(({ owner, score }, index) => {
      const better = sorted.filter((other) => sign * other.score < sign * score);
      const ranks = {
        FIRST_TO_REACH: index,
        COMPETITION: better.length,
        DENSE: new Set(better.map((other) => other.score)).size,
      };
      return { owner, score, rank: ranks[this.draft.tieRule] + 1, better: better.length };
    });
  }

  private combine(before: number, score: number): number {
    if (this.draft.operator === "SUM") return before + score;
    if (this.draft.operator === "LATEST") return score;
    return this.draft.order === "DESC" ? Math.max(before, score) : Math.min(before, score);
  }
}

const scores = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 3 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(MAX_SCORE, -MAX_SCORE, MAX_SCORE - 1, 1 - MAX_SCORE, 0, -0),
  },
  { weight: 1, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
);
const owners = fc.constantFrom("a", "ab", "b", "ü", "z z", "|x|", "10", "2", "😀", "A");

const kinds = fc.record({
  operator: fc.constantFrom(...SCORE_OPERATORS),
  order: fc.constantFrom(...SORT_ORDERS),
  tieRule: fc.constantFrom(...TIE_RULES),
});
type Move = readonly [owner: string, score: number];

/** A board in play, and what it should be. */
class Game {
  private constructor(
    private readonly kit: BoardKit,
    private readonly board: BoardRecord,
    private readonly oracle: Oracle,
  ) {}

  static async begin(kit: BoardKit, values: Partial<BoardDraft>): Promise<Game> {
    const draft = boardDraft(values);
    await kit.leaderboards.create(SERVICE, draft);
    // Known to the process: what is submitted at once then is in the order in which it was.
    const board = await kit.leaderboards.mustExist(draft.slug, "ALL_TIME");
    return new Game(kit, board, new Oracle(draft));
  }

  /** All at once: nobody knows the ranks in between, but which sums are refused. */
  async submitTogether(moves: readonly Move[]): Promise<void> {
    const outcomes = await Promise.all(moves.map((move) => this.submit(move)));
    const expected = moves.map(([owner, score]) =>
      this.oracle.submit(owner, score) ? [] : ["OUT_OF_RANGE"],
    );
    expect(outcomes.map(({ errors }) => errors.map(({ code }) => code))).toEqual(expected);
  }

  /** One after the other, each with its change of rank. */
  async submitInTurn(moves: readonly Move[]): Promise<void> {
    for (const move of moves) {
      const [owner, score] = move;
      const previousRank = this.entryOf(owner)?.rank ?? null;
      const taken = this.oracle.submit(owner, score);
      const { changes } = await this.submit(move);
      const entry = this.entryOf(owner);
      const change = { rank: entry?.rank, previousRank, score: entry?.score };
      expect(changes).toEqual(
        taken ? this.board.periods.map((period) => ({ period, ...change })) : [],
      );
    }
  }

  async compare(period: Period): Promise<void> {
    const all = this.oracle.entries();
    const read = async (run: Run) => {
      const { total, rows } = await this.kit.leaderboards.read(
        this.board,
        { period, atMs: null },
        run,
      );
      expect(total).toBe(all.length);
      return rows.map(({ owner, score, rank, better }) => ({ owner, score, rank, better }));
    };
    expect(await read({ from: "place", place: 0, count: 100 })).toEqual(all);
    for (let rank = 1; rank <= all.length + 1; rank++) {
      const ranked = all.filter((entry) => entry.rank >= rank);
      expect(await read({ from: "rank", rank, count: 3 })).toEqual(ranked.slice(0, 3));
    }
    for (const [place, { owner }] of all.entries()) {
      expect(await read({ from: "owner", owner })).toEqual([all[place]]);
      const start = Math.max(0, Math.min(place - 2, all.length - 5));
      expect(await read({ from: "around", owner, radius: 2 })).toEqual(all.slice(start, start + 5));
    }
    expect(await read({ from: "owner", owner: "nobody" })).toEqual([]);
    expect(await read({ from: "around", owner: "nobody", radius: 2 })).toEqual([]);
  }

  /** Pages by cursor, of any size, are the whole board once. */
  async walk(period: Period, count: number): Promise<void> {
    const owners: string[] = [];
    for (let run: Run | null = { from: "place", place: 0, count }; run; ) {
      const { rows }: { rows: readonly RankedRow[] } = await this.kit.leaderboards.read(
        this.board,
        { period, atMs: null },
        run,
      );
      owners.push(...rows.map(({ owner }) => owner));
      const last = rows.at(-1);
      run = last
        ? {
            from: "after",
            key: sortKey(this.board.order, last.score),
            reached: last.reached,
            count,
          }
        : null;
    }
    expect(owners).toEqual(this.oracle.entries().map(({ owner }) => owner));
  }

  private submit([owner, score]: Move) {
    return this.kit.scores.submit(SERVICE, {
      slug: this.board.slug,
      score,
      metadata: null,
      operationId: null,
      owner,
    });
  }

  private entryOf(owner: string) {
    return this.oracle.entries().find((entry) => entry.owner === owner);
  }
}

it(
  "Entries, entry, around, total and ranks equal an oracle, for every kind of board.",
  async () => {
    const kit = await openBoards({ database: db.database, ...testRedis() });
    const moves = fc.array(fc.tuple(owners, scores), { minLength: 1, maxLength: 20 });
    const property = fc.asyncProperty(kinds, moves, moves, async (values, first, second) => {
      const game = await Game.begin(kit, values);
      await game.submitTogether(first);
      await game.submitInTurn(second);
      for (const period of PERIODS) await game.compare(period);
      for (const size of [1, 3, 100]) await game.walk("WEEK", size);
    });
    await fc.assert(property, {
      numRuns: drillSize({ sample: 25, full: 2_000 }),
      seed: 20_261_125,
    });
  },
  DRILL_MS,
);
