/**
 * Leaderboards: their settings, and how far finished periods
 * are archived.
 */
import { sql } from "drizzle-orm";
import type { BoardDraft, BoardRecord, ScoreSource } from "../../domain/leaderboard/leaderboard.js";
import type { Period } from "../../domain/leaderboard/periods.js";
import type { IdPage, PageRequest } from "../../domain/page.js";
import type { Database, Executor } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints, columnList, storable, texts } from "../client/statements.js";
import type { leaderboards } from "../schema/leaderboard.js";

export interface BoardTable {
  /**
   * Makes a board without anything before `archivedMs`; null
   * when the slug is taken. One statement.
   */
  create(
    draft: BoardDraft,
    source: ScoreSource,
    archivedMs: BoardRecord["archivedMs"],
  ): Promise<BoardRecord | null>;
  /** One statement; null when there is none. */
  bySlug(slug: string): Promise<BoardRecord | null>;
  /** The boards with these ids, in any order; missing ones absent. */
  byIds(ids: readonly number[]): Promise<BoardRecord[]>;
  /** All boards, in the order of creation. */
  all(): Promise<BoardRecord[]>;
  /** In the order of creation; the position's value is the id. */
  page(page: PageRequest): Promise<IdPage>;
  count(): Promise<number>;
  /**
   * Records that periods of a kind are archived up to a time;
   * never goes back.
   */
  noteArchived(executor: Executor, id: number, period: Period, endMs: number): Promise<void>;
}

const BOARD_COLUMNS = [
  "id",
  "slug",
  "title",
  "operator",
  "sort_order",
  "tie_rule",
  "periods",
  "time_zone",
  "source",
  "archived",
] as const;
const BOARD = columnList(BOARD_COLUMNS);

type StoredBoard = Row<typeof leaderboards, (typeof BOARD_COLUMNS)[number]>;

export function createBoardTable(database: Database): BoardTable {
  return {
    async create({ slug, title, operator, order, tieRule, periods, timeZone }, source, archivedMs) {
      const [row] = await database.query<StoredBoard>(sql`
        INSERT INTO leaderboards
          (slug, title, operator, sort_order, tie_rule, periods, time_zone, source, archived)
        VALUES (${slug}, ${title}, ${operator}, ${order}, ${tieRule}, ${texts(periods)},
          ${timeZone}, ${source}, ${JSON.stringify(archivedMs)}::jsonb)
        ON CONFLICT (slug) DO NOTHING
        RETURNING ${BOARD}`);
      return row ? toBoard(row) : null;
    },
    async bySlug(slug) {
      const [row] = await database.query<StoredBoard>(
        sql`SELECT ${BOARD} FROM leaderboards WHERE slug = ${storable(slug)}`,
      );
      return row ? toBoard(row) : null;
    },
    async byIds(ids) {
      if (ids.length === 0) return [];
      const rows = await database.query<StoredBoard>(
        sql`SELECT ${BOARD} FROM leaderboards WHERE id = ANY(${bigints(ids)})`,
      );
      return rows.map(toBoard);
    },
    async all() {
      return (
        await database.query<StoredBoard>(sql`SELECT ${BOARD} FROM leaderboards ORDER BY id`)
      ).map(toBoard);
    },
    async page({ limit, after }) {
      const rows = await database.query<Pick<StoredBoard, "id">>(sql`
        SELECT id FROM leaderboards
        WHERE id > ${after?.id ?? 0}::bigint
        ORDER BY id LIMIT ${limit + 1}`);
      return {
        rows: rows.slice(0, limit).map(({ id }) => ({ value: id, id })),
        hasNextPage: rows.length > limit,
      };
    },
    async count() {
      const [row] = await database.query<{ count: number }>(
        sql`SELECT count(*) AS count FROM leaderboards`,
      );
      return row?.count ?? 0;
    },
    async noteArchived(executor, id, period, endMs) {
      await executor.query(sql`
        UPDATE leaderboards SET archived = archived || jsonb_build_object(
          ${period}::text, greatest((archived->>${period}::text)::bigint, ${endMs}::bigint))
        WHERE id = ${id}::bigint`);
    },
  };
}

function toBoard({ sort_order, tie_rule, time_zone, archived, ...row }: StoredBoard): BoardRecord {
  return {
    ...row,
    order: sort_order,
    tieRule: tie_rule,
    timeZone: time_zone,
    archivedMs: archived,
  };
}
