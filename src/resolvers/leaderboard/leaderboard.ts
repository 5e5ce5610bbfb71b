/** Leaderboards, and the edges from a board to its entries. */
import { Arg, Args, FieldResolver, Int, Query, Resolver, Root } from "type-graphql";
import { BadUserInput } from "../../domain/errors.js";
import { encodeId } from "../../domain/ids.js";
import { BOARD_LIMITS, type BoardRecord, type Run } from "../../domain/leaderboard/leaderboard.js";
import type { Window } from "../../domain/leaderboard/periods.js";
import { pageSize } from "../../domain/page.js";
import { typed } from "../../domain/text.js";
import {
  AroundArgs,
  EntriesArgs,
  EntryArgs,
  Leaderboard,
  LeaderboardConnection,
  LeaderboardEntry,
  LeaderboardEntryConnection,
  PeriodArgs,
} from "../../schema/leaderboard.js";
import { PageArgs } from "../../schema/page.js";
import { ListSize, Price } from "../../schema/price.js";
import { Shared } from "../../schema/scope.js";
import type { Leaderboards } from "../../services/leaderboard/leaderboards.js";
import type { BoardSlice, PeriodOf } from "../../services/leaderboard/reads.js";
import { ListPage, pageRequest } from "../list.js";
import { EntryPage, runAfter, toEntry } from "./entry.js";
import { readSlice, type WatchedBoard } from "./snapshot.js";

/** A board as clients see it. */
export function toLeaderboard(record: BoardRecord): Leaderboard {
  const { slug, title, operator, order, tieRule, periods, timeZone } = record;
  return {
    id: encodeId("Leaderboard", record.id),
    slug,
    title,
    operator,
    order,
    tieRule,
    periods,
    timeZone,
    record,
  };
}

/** A page of boards. */
type BoardList = ListPage<"all">;

/**
 * `Query.leaderboard`, `Query.leaderboards` and the edges of a
 * board.
 */
@Resolver(() => Leaderboard)
export class LeaderboardResolver {
  constructor(private readonly boards: Leaderboards) {}

  @Query(() => Leaderboard, {
    nullable: true,
    description: "A leaderboard by its slug; null when there is none.",
  })
  async leaderboard(
    @Arg("slug", () => String, { description: "The slug of a board." }) slug: string,
  ): Promise<Leaderboard | null> {
    const board = await this.boards.bySlug(slug);
    return board && toLeaderboard(board);
  }

  @Query(() => LeaderboardConnection, {
    description: "All leaderboards, in the order in which they were made.",
  })
  async leaderboards(@Args(() => PageArgs) args: PageArgs): Promise<BoardList> {
    const list = { name: "leaderboards", sortedBy: "number" } as const;
    const page = pageRequest(list, args);
    return new ListPage(list, "all", page, await this.boards.page(page));
  }

  @FieldResolver(() => LeaderboardEntryConnection, {
    description:
      "Entries, best first: from the top, from a rank, or after a cursor. " +
      "SERVICE_UNAVAILABLE while the board is being built.",
  })
  @Shared("PUBLIC")
  async entries(
    @Root() board: WatchedBoard,
    @Args(() => EntriesArgs) args: EntriesArgs,
  ): Promise<EntryPage> {
    const question = { of: periodOf(args), run: runOf(board.record, args) };
    const slice = await readSlice(this.boards, board, question);
    return new EntryPage(board.record, slice, typeof args.after === "string");
  }

  @FieldResolver(() => LeaderboardEntry, {
    nullable: true,
    description: "The entry of one owner; null for one who is not on the board.",
  })
  @Shared("PUBLIC")
  async entry(
    @Root() { record }: Leaderboard,
    @Args(() => EntryArgs) args: EntryArgs,
  ): Promise<LeaderboardEntry | null> {
    const [entry] = toEntries(
      await this.boards.read(record, periodOf(args), { from: "owner", owner: typed(args.owner) }),
    );
    return entry ?? null;
  }

  @ListSize({ by: "radius", times: 2, plus: 1, most: 2 * BOARD_LIMITS.radius + 1 })
  @FieldResolver(() => [LeaderboardEntry], {
    description:
      "The entries around an owner: as many on each side, and where one side ends more on " +
      "the other, so that there are twice as many and one wherever the board has them. Empty " +
      "for an owner who is not on it.",
  })
  @Shared("PUBLIC")
  async around(
    @Root() { record }: Leaderboard,
    @Args(() => AroundArgs) args: AroundArgs,
  ): Promise<LeaderboardEntry[]> {
    const radius = checkBounds(args.radius ?? 5, {
      argument: "radius",
      min: 0,
      max: BOARD_LIMITS.radius,
    });
    return toEntries(
      await this.boards.read(record, periodOf(args), {
        from: "around",
        owner: typed(args.owner),
        radius,
      }),
    );
  }

  @Price(1)
  @FieldResolver(() => Int, { description: "How many entries the board has." })
  @Shared("PUBLIC")
  async total(
    @Root() board: WatchedBoard,
    @Args(() => PeriodArgs) args: PeriodArgs,
  ): Promise<number> {
    const question = { of: periodOf(args), run: NO_ENTRIES };
    return (await readSlice(this.boards, board, question)).slice.total;
  }
}

/** What is behind a page of boards. */
@Resolver(() => LeaderboardConnection)
export class LeaderboardConnectionResolver {
  constructor(private readonly boards: Leaderboards) {}

  @FieldResolver()
  edges(@Root() list: BoardList) {
    return list.edges(async (ids) =>
      (await this.boards.byIds(ids)).map((board) => board && toLeaderboard(board)),
    );
  }

  @Price(1)
  @FieldResolver()
  totalCount(): Promise<number> {
    return this.boards.count();
  }
}

const NO_ENTRIES = { from: "place", place: 0, count: 0 } as const;

/** Entries of a slice as clients see them. */
const toEntries = ({ rows, total }: BoardSlice): LeaderboardEntry[] =>
  rows.map((row) => toEntry(row, total));

const periodOf = ({ period, at }: PeriodArgs): PeriodOf => ({
  period: period ?? "ALL_TIME",
  atMs: at?.getTime() ?? null,
});

function runOf(
  board: BoardRecord,
  { period, first, after, fromRank }: EntriesArgs,
): Run | ((window: Window) => Run) {
  const count = pageSize(first ?? 10);
  if (typeof after === "string" && typeof fromRank === "number")
    throw new BadUserInput("Give after or fromRank, not both.", ["fromRank"]);
  if (typeof after === "string")
    return runAfter(board, { period: period ?? "ALL_TIME", after, count });
  if (typeof fromRank !== "number") return { from: "place", place: 0, count };
  return {
    from: "rank",
    rank: checkBounds(fromRank, { argument: "fromRank", min: 1, max: Number.MAX_SAFE_INTEGER }),
    count,
  };
}

/** Throws BadUserInput for a number out of bounds. */
export function checkBounds(
  value: number,
  { argument, min, max }: { argument: string; min: number; max: number },
): number {
  if (value >= min && value <= max) return value;
  throw new BadUserInput(`${argument} must be between ${min} and ${max}, not ${value}.`, [
    argument,
  ]);
}
