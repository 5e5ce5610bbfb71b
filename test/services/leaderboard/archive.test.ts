/**
 * Finished periods: archived as they were, readable for ever, and out of Redis only when that is
 * proven.
 */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import { randomAt } from "../../../src/db/seed/random.js";
import { SERVICE } from "../../../src/domain/account/principal.js";
import type { BoardDraft, BoardRecord, Run } from "../../../src/domain/leaderboard/leaderboard.js";
import { TIE_RULES } from "../../../src/domain/leaderboard/leaderboard.js";
import { DAY, HOUR } from "../../../src/domain/time/time.js";
import { DATABASES, emptyDatabase } from "../../db/sample.js";
import { testRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";
import { type BoardKit, boardDraft, openBoards, type TestClock } from "./leaderboard.fixture.js";

/** A Tuesday. */
const TUESDAY = Date.parse("2031-04-01T12:00:00Z");

describe.each(DATABASES)("over %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
  });
  afterAll(() => close?.());

  const open = async () => {
    const [clock, redis]: [TestClock, ReturnType<typeof testRedis>] = [
      { nowMs: TUESDAY },
      testRedis(),
    ];
    const kit = await openBoards({ database, ...redis }, clock);
    return { kit, clock, redis };
  };
  const makeBoard = async (
    kit: BoardKit,
    values: Partial<BoardDraft> = {},
  ): Promise<BoardRecord> => {
    const { board } = await kit.leaderboards.create(
      SERVICE,
      boardDraft({ timeZone: "UTC", ...values }),
    );
    return board!;
  };
  const submit = (kit: BoardKit, board: BoardRecord, owner: string, score: number) =>
    kit.pipeline.submit({
      board,
      submission: { owner, score, metadata: `by ${owner}`, operationId: null },
    }).ranked;
  /** The board as it is known to a process that has just looked. */
  const fresh = async (kit: BoardKit, { slug }: BoardRecord) => (await kit.boards.bySlug(slug))!;
  const RUNS: readonly Run[] = [
    { from: "place", place: 0, count: 100 },
    { from: "place", place: 3, count: 4 },
    ...[1, 2, 3, 4, 5, 99].map((rank) => ({ from: "rank", rank, count: 3 }) as const),
    { from: "owner", owner: "o3" },
    { from: "owner", owner: "nobody" },
    ...["o1", "o5", "o9", "nobody"].map((owner) => ({ from: "around", owner, radius: 2 }) as const),
    { from: "after", key: -2, reached: 7, count: 5 },
  ];
  const seen = async (kit: BoardKit, board: BoardRecord, atMs: number) =>
    Promise.all(
      RUNS.map(async (run) => {
        const { total, rows, archived } = await kit.leaderboards.read(
          board,
          { period: "DAY", atMs },
          run,
        );
        return {
          archived,
          total,
          rows: rows.map(({ owner, score, rank, better, metadata, reached, submittedMs }) => ({
            owner,
            score,
            rank,
            better,
            metadata,
            reached,
            submittedMs,
          })),
        };
      }),
    );

  it.each(TIE_RULES)(
    "a finished day is read from the archive as it was in Redis, and its keys are gone (%s)",
    async (tieRule) => {
      const { kit, clock, redis } = await open();
      const board = await makeBoard(kit, { tieRule, operator: "SUM" });
      const random = randomAt(9, tieRule, 0);
      await Promise.all(
        Array.from({ length: 60 }, () =>
          submit(kit, board, `o${random.between(1, 12)}`, random.between(-1, 2)),
        ),
      );
      const before = await seen(kit, board, TUESDAY);
      clock.nowMs = TUESDAY + DAY;
      await submit(kit, board, "o1", 100);
      await kit.upkeep.run();
      const after = await seen(kit, await fresh(kit, board), TUESDAY);
      expect(after.map(({ archived }) => archived)).toEqual(RUNS.map(() => true));
      expect(after).toEqual(before.map((read) => ({ ...read, archived: true })));
      // A process that still believes the old is told otherwise by Redis.
      expect(await seen(kit, board, TUESDAY)).toEqual(after);
      const days = (await kit.store.built(board.id)).filter(({ period }) => period === "DAY");
      expect(days.map(({ startMs }) => startMs)).toEqual([Date.parse("2031-04-02")]);
      const left = await kit.connection.exists(
        redis.keys.boardRanks(board.id, `${days[0]!.generation}:DAY:${Date.parse("2031-04-01")}`),
      );
      expect(left).toBe(0);
      // Once is enough.
      await kit.upkeep.run();
      expect(await seen(kit, await fresh(kit, board), TUESDAY)).toEqual(after);
    },
  );

  it("Days, weeks and months end apart, idle ones are skipped, present ones stay.", async () => {
    const { kit, clock } = await open();
    const board = await makeBoard(kit);
    await submit(kit, board, "a", 1);
    clock.nowMs = TUESDAY + 40 * DAY;
    await submit(kit, board, "b", 2);
    await kit.upkeep.run();
    const archived = await database.query<{ period: string; total: number }>(
      sql`SELECT period, total FROM leaderboard_archives WHERE board_id = ${board.id}::bigint
        ORDER BY period`,
    );
    expect(archived).toEqual(["DAY", "MONTH", "WEEK"].map((period) => ({ period, total: 1 })));
    const now = await fresh(kit, board);
    for (const period of ["DAY", "WEEK", "MONTH"] as const) {
      const at = (atMs: number) =>
        kit.leaderboards.read(now, { period, atMs }, { from: "place", place: 0, count: 9 });
      expect((await at(TUESDAY)).rows.map(({ owner }) => owner)).toEqual(["a"]);
      expect((await at(clock.nowMs)).rows.map(({ owner }) => owner)).toEqual(["b"]);
      expect((await at(TUESDAY - 400 * DAY)).total).toBe(0);
    }
  });

  it("Nothing falls into a closed day, even when the clock of Postgres goes back.", async () => {
    const { kit, clock } = await open();
    const board = await makeBoard(kit);
    await submit(kit, board, "a", 1);
    clock.nowMs = TUESDAY + DAY;
    await kit.upkeep.run();
    const [{ last_at }] = (await database.query<{ last_at: Date }>(
      sql`SELECT last_at FROM leaderboards WHERE id = ${board.id}::bigint`,
    )) as [{ last_at: Date }];
    expect(last_at.getTime()).toBe(Date.parse("2031-04-02"));
    // The ledger's own clock never goes behind that: here it is the real one, years before.
    clock.nowMs = null;
    await submit(kit, board, "late", 1);
    const ledger = await kit.ledger.after(board.id, 0, 10);
    expect(ledger.map(({ submittedMs }) => submittedMs)).toEqual([
      TUESDAY,
      Date.parse("2031-04-02"),
    ]);
  });

  it("An archive that does not equal Redis is not sealed, and nothing is deleted.", async () => {
    const { kit, clock, redis } = await open();
    const board = await makeBoard(kit);
    await submit(kit, board, "a", 1);
    await submit(kit, board, "b", 2);
    const { generation } = (await kit.store.built(board.id))[0]!;
    const name = `${generation}:DAY:${Date.parse("2031-04-01")}`;
    await kit.connection.zincrby(
      redis.keys.boardRanks(board.id, name),
      5,
      (await kit.connection.zrange(redis.keys.boardRanks(board.id, name), 0, 0))[0]!,
    );
    clock.nowMs = TUESDAY + DAY;
    await expect(kit.upkeep.run()).rejects.toThrow("1 leaderboards need another look");
    const rows = await database.query(
      sql`SELECT FROM leaderboard_archive_entries WHERE board_id = ${board.id}::bigint`,
    );
    expect(rows).toHaveLength(0);
    expect(await kit.connection.exists(redis.keys.boardRanks(board.id, name))).toBe(1);
    expect((await fresh(kit, board)).archivedMs.DAY).toBeLessThan(TUESDAY);
    // Built again, it agrees with the ledger by itself.
    await kit.connection.del(redis.keys.board(board.id));
    await until("the pause after a failure to end", () => kit.upkeep.run().then(() => true));
    expect((await fresh(kit, board)).archivedMs.DAY).toBe(Date.parse("2031-04-02"));
  });

  it("A day that Redis lost before it was archived is not answered with half of it.", async () => {
    const { kit, clock, redis } = await open();
    const board = await makeBoard(kit);
    await submit(kit, board, "a", 1);
    clock.nowMs = TUESDAY + DAY + HOUR;
    await kit.connection.del(redis.keys.board(board.id));
    await expect(seen(kit, board, TUESDAY)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    await kit.upkeep.run();
    expect((await seen(kit, board, TUESDAY))[0]).toMatchObject({ archived: true, total: 1 });
  });
});
