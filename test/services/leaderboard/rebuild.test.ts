/**
 * Boards outlive their Redis: built from the ledger to the identical order, brought up to date
 * where a second was lost, never half there.
 */
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import { createScoreLedger } from "../../../src/db/leaderboard/ledger.js";
import { randomAt } from "../../../src/db/seed/random.js";
import { SERVICE } from "../../../src/domain/account/principal.js";
import {
  type BoardRecord,
  SCORE_OPERATORS,
  TIE_RULES,
} from "../../../src/domain/leaderboard/leaderboard.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { createCalendars } from "../../../src/services/leaderboard/calendars.js";
import { createScoreCommits } from "../../../src/services/leaderboard/commits.js";
import { testDatabase } from "../../support/postgres.js";
import { startRedisServer, testRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";
import { type BoardKit, boardDraft, openBoards } from "./leaderboard.fixture.js";

/** A board with random scores of `owners`. */
async function playedBoard(
  kit: BoardKit,
  values: Parameters<typeof boardDraft>[0],
  { owners, scores }: { owners: number; scores: number },
) {
  const draft = boardDraft(values);
  const board = (await kit.leaderboards.create(SERVICE, draft)).board!;
  const random = randomAt(5, draft.slug, 0);
  const entries = Array.from({ length: scores }, () => ({
    board,
    submission: {
      owner: `o${random.between(1, owners)}`,
      score: random.between(-3, 3),
      metadata: random.chance(0.5) ? "é|1" : null,
      operationId: null,
    },
  }));
  await Promise.all(entries.map((entry) => kit.pipeline.submit(entry).ranked));
  return board;
}

/** Everything there is to see of a board. */
const allOf = (kit: BoardKit, board: BoardRecord) =>
  Promise.all(
    board.periods.map(async (period) => {
      const { total, rows } = await kit.leaderboards.read(
        board,
        { period, atMs: null },
        { from: "place", place: 0, count: 1_000 },
      );
      return { period, total, rows };
    }),
  );

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await testDatabase());
});
afterAll(() => close?.());

it("A lost board is rebuilt to the identical order, of every operator and tie rule.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const kit = await openBoards({ database, url: server.url, keys: createKeys() });
  const boards: BoardRecord[] = [];
  for (const operator of SCORE_OPERATORS)
    for (const tieRule of TIE_RULES)
      boards.push(await playedBoard(kit, { operator, tieRule }, { owners: 20, scores: 60 }));
  const before = await Promise.all(boards.map((board) => allOf(kit, board)));
  await kit.connection.flushall();
  expect(await Promise.all(boards.map((board) => allOf(kit, board)))).toEqual(before);
  // The hash alone is enough to have it built again; what the last build left is gone.
  await kit.connection.del(createKeys().board(boards[0]!.id));
  expect(await allOf(kit, boards[0]!)).toEqual(before[0]);
  expect(
    new Set((await kit.store.built(boards[0]!.id)).map(({ generation }) => generation)).size,
  ).toBe(1);
});
it("None of three processes ever serves half a board while it is lost and rebuilt.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const place = { database, url: server.url, keys: createKeys() };
  const kits = [await openBoards(place), await openBoards(place), await openBoards(place)];
  const board = await playedBoard(
    kits[0]!,
    { periods: ["ALL_TIME", "DAY"] },
    { owners: 2_500, scores: 4_000 },
  );
  const [whole] = await allOf(kits[0]!, board);
  let done = false;
  const served: unknown[] = [];
  const readers = kits.map(async (kit) => {
    while (!done) {
      const [read] = await allOf(kit, board);
      if (
        read!.total !== whole!.total ||
        JSON.stringify(read!.rows.slice(0, 50)) !== JSON.stringify(whole!.rows.slice(0, 50))
      )
        served.push(read!.total);
    }
  });
  for (let round = 0; round < 3; round++) {
    await kits[0]!.connection.flushall();
    await until(
      "the board to be there again",
      async () => (await kits[1]!.store.look(board.id))?.verified,
    );
  }
  done = true;
  await Promise.all(readers);
  expect(served).toEqual([]);
});

it("A server with an older memory serves nothing before its losses are loaded.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const kit = await openBoards({ database, url: server.url, keys: createKeys() });
  const board = await playedBoard(
    kit,
    { operator: "SUM", tieRule: "DENSE" },
    { owners: 10, scores: 30 },
  );
  await kit.connection.save();
  const submit = (owner: string, score: number) =>
    kit.pipeline.submit({ board, submission: { owner, score, metadata: null, operationId: null } })
      .ranked;
  for (let at = 0; at < 20; at++) await submit(`o${at % 12}`, at);
  const before = await allOf(kit, board);
  await server.kill();
  await server.restart();
  await until("Redis to answer", async () => (await kit.connection.ping()) === "PONG");
  expect((await kit.store.look(board.id))?.verified).toBe(false);
  expect(await allOf(kit, board)).toEqual(before);
  expect(await kit.store.look(board.id)).toMatchObject({ verified: true, applied: 50 });
});

it("A score whose process died between commit and Redis still gets on the board.", async () => {
  const kit = await openBoards({ database, ...testRedis() });
  const board = await playedBoard(kit, {}, { owners: 5, scores: 10 });
  await kit.upkeep.run();
  const commit = createScoreCommits({
    database,
    ledger: createScoreLedger(database),
    calendars: createCalendars(),
    telemetry: { scores() {} },
  });
  await commit([
    { board, submission: { owner: "late", score: 9, metadata: null, operationId: null } },
  ]);
  await kit.pipeline.submit({
    board,
    submission: { owner: "next", score: 8, metadata: null, operationId: null },
  }).ranked;
  expect((await allOf(kit, board))[0]!.rows.map(({ owner }) => owner)).not.toContain("late");
  await kit.upkeep.run();
  const [{ rows }] = (await allOf(kit, board)) as [Awaited<ReturnType<typeof allOf>>[0]];
  expect(rows.slice(0, 2).map(({ owner }) => owner)).toEqual(["late", "next"]);
  expect((await kit.store.look(board.id))?.applied).toBe(12);
});

it("A board that knows more than a restored ledger is built again.", async () => {
  const redis = testRedis();
  const kit = await openBoards({ database, ...redis });
  const board = await playedBoard(kit, {}, { owners: 5, scores: 10 });
  const before = await allOf(kit, board);
  await kit.connection.hset(redis.keys.board(board.id), { applied: 99, server: "another" });
  expect(await allOf(kit, board)).toEqual(before);
  expect((await kit.store.look(board.id))?.applied).toBe(10);
});

it("Without Redis a score is unknown, and a repetition counts once.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const kit = await openBoards({ database, url: server.url, keys: createKeys() });
  const board = (await kit.leaderboards.create(SERVICE, boardDraft({ operator: "SUM" }))).board!;
  const draft = { slug: board.slug, score: 3, metadata: null, operationId: "once", owner: "a" };
  await kit.scores.submit(SERVICE, { ...draft, operationId: "before" });
  await server.kill();
  await expect(kit.scores.submit(SERVICE, draft)).rejects.toMatchObject({
    code: "SERVICE_UNAVAILABLE",
  });
  await server.restart();
  await until("Redis to answer", async () => (await kit.connection.ping()) === "PONG");
  expect(await kit.scores.submit(SERVICE, draft)).toMatchObject({ replayed: true, errors: [] });
  expect((await allOf(kit, board))[0]!.rows.map(({ score }) => score)).toEqual([6]);
});

it("A score that has a board built, new or lost, was not on it before.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const kit = await openBoards({ database, url: server.url, keys: createKeys() });
  const draft = boardDraft({ periods: ["ALL_TIME"] });
  await kit.leaderboards.create(SERVICE, draft);
  const submit = (owner: string) =>
    kit.scores.submit(SERVICE, {
      slug: draft.slug,
      score: 7,
      metadata: null,
      operationId: null,
      owner,
    });
  expect((await submit("first")).changes).toEqual([
    { period: "ALL_TIME", rank: 1, previousRank: null, score: 7 },
  ]);
  await kit.connection.flushall();
  expect((await submit("second")).changes).toEqual([
    { period: "ALL_TIME", rank: 2, previousRank: null, score: 7 },
  ]);
});
