/**
 * The ledger of scores: every submission is a row here before
 * it changes a rank. Rows are appended under the lock of
 * their board, so sequences have no gaps. Their order is that
 * of commits and of times. The last row of an owner holds
 * their standing in every period. So the ledger alone builds
 * a board. Rows may be applied in any order, and again.
 */
import { sql } from "drizzle-orm";
import type { Standings, Submission } from "../../domain/leaderboard/leaderboard.js";
import type { Database, Executor, Tx } from "../client/database.js";
import type { Nullable, Row } from "../client/row.js";
import { bigints, columnList, doubles, texts } from "../client/statements.js";
import type { leaderboards, scoreSubmissions } from "../schema/leaderboard.js";

export interface LedgerHead {
  readonly boardId: number;
  /** Sequence of the last row; 0 before the first. */
  readonly sequence: number;
  /**
   * Ms since epoch by the clock of Postgres, never before the
   * last row's.
   */
  readonly nowMs: number;
}

export interface LedgerRow extends Submission {
  readonly sequence: number;
  readonly submittedMs: number;
  readonly standings: Standings;
}

/** What a board shows of a row. */
export interface ShownRow {
  readonly boardId: number;
  readonly sequence: number;
  readonly metadata: string | null;
  readonly submittedMs: number;
}

export type OwnerOfBoard = Pick<Submission, "boardId" | "owner">;

/**
 * The ledger. Lists answer in the order asked unless stated
 * otherwise.
 */
export interface ScoreLedger {
  /**
   * Locks boards until the transaction ends, in the order of
   * their ids. Resolves to the ends of their ledgers; missing
   * ones absent.
   */
  lock(tx: Tx, boardIds: readonly number[]): Promise<LedgerHead[]>;
  /** Ends of ledgers, without a lock. */
  heads(boardIds: readonly number[]): Promise<LedgerHead[]>;
  /** The rows with these operation ids; null for none. */
  known(tx: Tx, submissions: readonly Submission[]): Promise<(LedgerRow | null)[]>;
  /** The last row of each owner; null for none. */
  latest(executor: Executor, owners: readonly OwnerOfBoard[]): Promise<(LedgerRow | null)[]>;
  /** What is shown of rows, in any order. */
  shown(
    executor: Executor,
    rows: readonly { readonly boardId: number; readonly sequence: number }[],
  ): Promise<ShownRow[]>;
  /**
   * Appends rows, in order, to boards that this transaction
   * has locked.
   */
  append(tx: Tx, rows: readonly LedgerRow[]): Promise<void>;
  /**
   * Later rows of a board get no time before `timeMs`: what
   * ended by then is complete.
   */
  closeBefore(tx: Tx, boardId: number, timeMs: number): Promise<void>;
  /** Rows after a sequence, in order. */
  after(boardId: number, sequence: number, limit: number): Promise<LedgerRow[]>;
  /**
   * The last row up to a sequence of each of the next owners,
   * by name. One index probe per owner.
   */
  owners(page: OwnerPage): Promise<{ readonly rows: LedgerRow[]; readonly last: string | null }>;
}

/**
 * `limit` owners of a board after one ("" to begin). `last`
 * is null where there are no more.
 */
export interface OwnerPage {
  readonly boardId: number;
  readonly after: string;
  readonly upTo: number;
  readonly limit: number;
}

const SUBMISSION_COLUMNS = [
  "board_id",
  "sequence",
  "owner",
  "operation_id",
  "score",
  "metadata",
  "submitted_at",
  "standings",
] as const;
const SUBMISSION = columnList(SUBMISSION_COLUMNS, "s");

type SubmissionRow = Row<typeof scoreSubmissions, (typeof SUBMISSION_COLUMNS)[number]>;
const BOARD_NOW_MS = sql.raw(
  "floor(extract(epoch FROM greatest(last_at, clock_timestamp())) * 1000)::bigint AS now_ms",
);

export function createScoreLedger(database: Database): ScoreLedger {
  return {
    lock: (tx, boardIds) => heads(tx, boardIds, true),
    heads: (boardIds) => heads(database, boardIds, false),
    known,
    latest,
    shown: shownRows,
    append: appendRows,
    async closeBefore(tx, boardId, timeMs) {
      await tx.query(sql`
        UPDATE leaderboards
        SET last_at = greatest(last_at, to_timestamp(${timeMs}::float8 / 1000))
        WHERE id = ${boardId}::bigint`);
    },
    async after(boardId, sequence, limit) {
      const rows = await database.query<SubmissionRow>(sql`
        SELECT ${SUBMISSION} FROM score_submissions s
        WHERE s.board_id = ${boardId}::bigint AND s.sequence > ${sequence}::bigint
        ORDER BY s.sequence LIMIT ${limit}`);
      return rows.map(toLedgerRow);
    },
    owners: (page) => owners(database, page),
  };
}

async function heads(
  executor: Executor,
  boardIds: readonly number[],
  locked: boolean,
): Promise<LedgerHead[]> {
  const rows = await executor.query<
    Row<typeof leaderboards, "id" | "last_sequence"> & { now_ms: number }
  >(sql`
    SELECT id, last_sequence, ${BOARD_NOW_MS} FROM leaderboards
    WHERE id = ANY(${bigints(boardIds)})
    ORDER BY id ${locked ? sql`FOR UPDATE` : sql``}`);
  return rows.map(({ id, last_sequence, now_ms }) => ({
    boardId: id,
    sequence: last_sequence,
    nowMs: now_ms,
  }));
}

async function known(tx: Tx, submissions: readonly Submission[]): Promise<(LedgerRow | null)[]> {
  const named = submissions.filter(({ operationId }) => operationId !== null);
  if (named.length === 0) return submissions.map(() => null);
  const rows = await tx.query<SubmissionRow>(sql`
    SELECT ${SUBMISSION}
    FROM unnest(
      ${bigints(named.map(({ boardId }) => boardId))},
      ${texts(named.map(({ owner }) => owner))},
      ${texts(named.map(({ operationId }) => operationId))}
    ) AS q(board_id, owner, operation_id)
    JOIN score_submissions s ON s.board_id = q.board_id AND s.owner = q.owner
      AND s.operation_id = q.operation_id AND s.operation_id IS NOT NULL`);
  const nameOf = ({ boardId, owner, operationId }: Submission): string =>
    JSON.stringify([boardId, owner, operationId]);
  const found = new Map(rows.map(toLedgerRow).map((row) => [nameOf(row), row]));
  return submissions.map((submission) => found.get(nameOf(submission)) ?? null);
}

async function latest(
  executor: Executor,
  asked: readonly OwnerOfBoard[],
): Promise<(LedgerRow | null)[]> {
  if (asked.length === 0) return [];
  const rows = await executor.query<SubmissionRow & { at: number }>(sql`
    SELECT q.at, ${SUBMISSION}
    FROM unnest(
      ${bigints(asked.map(({ boardId }) => boardId))},
      ${texts(asked.map(({ owner }) => owner))}
    ) WITH ORDINALITY AS q(board_id, owner, at)
    CROSS JOIN LATERAL (
      SELECT * FROM score_submissions
      WHERE board_id = q.board_id AND owner = q.owner
      ORDER BY sequence DESC LIMIT 1) s`);
  const found = new Map(rows.map((row) => [row.at, toLedgerRow(row)]));
  return asked.map((_, index) => found.get(index + 1) ?? null);
}

async function shownRows(
  executor: Executor,
  asked: readonly { readonly boardId: number; readonly sequence: number }[],
): Promise<ShownRow[]> {
  if (asked.length === 0) return [];
  const rows = await executor.query<
    Pick<SubmissionRow, "board_id" | "sequence" | "metadata" | "submitted_at">
  >(sql`
    SELECT s.board_id, s.sequence, s.metadata, s.submitted_at
    FROM unnest(
      ${bigints(asked.map(({ boardId }) => boardId))},
      ${bigints(asked.map(({ sequence }) => sequence))}
    ) AS q(board_id, sequence)
    JOIN score_submissions s ON s.board_id = q.board_id AND s.sequence = q.sequence`);
  return rows.map(({ board_id, sequence, metadata, submitted_at }) => ({
    boardId: board_id,
    sequence,
    metadata,
    submittedMs: submitted_at.getTime(),
  }));
}

async function appendRows(tx: Tx, rows: readonly LedgerRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(sql`
    INSERT INTO score_submissions
      (board_id, sequence, owner, operation_id, score, metadata, submitted_at, standings)
    SELECT board_id, sequence, owner, operation_id, score, metadata,
      to_timestamp(submitted_ms::float8 / 1000), standings::jsonb
    FROM unnest(
      ${bigints(rows.map(({ boardId }) => boardId))},
      ${bigints(rows.map(({ sequence }) => sequence))},
      ${texts(rows.map(({ owner }) => owner))},
      ${texts(rows.map(({ operationId }) => operationId))},
      ${doubles(rows.map(({ score }) => score))},
      ${texts(rows.map(({ metadata }) => metadata))},
      ${bigints(rows.map(({ submittedMs }) => submittedMs))},
      ${texts(rows.map(({ standings }) => JSON.stringify(standings)))}
    ) AS q(board_id, sequence, owner, operation_id, score, metadata, submitted_ms, standings)`);
  const last = new Map(rows.map((row) => [row.boardId, row]));
  const ends = [...last.values()];
  await tx.query(sql`
    UPDATE leaderboards b
    SET last_sequence = q.sequence, last_at = to_timestamp(q.submitted_ms::float8 / 1000)
    FROM unnest(
      ${bigints(ends.map(({ boardId }) => boardId))},
      ${bigints(ends.map(({ sequence }) => sequence))},
      ${bigints(ends.map(({ submittedMs }) => submittedMs))}
    ) AS q(id, sequence, submitted_ms)
    WHERE b.id = q.id`);
}

/**
 * A loose index scan: PostgreSQL has none of its own, and
 * DISTINCT would read every row of the ledger.
 */
async function owners(
  executor: Executor,
  { boardId, after, upTo, limit }: OwnerPage,
): Promise<{ rows: LedgerRow[]; last: string | null }> {
  const found = await executor.query<Nullable<SubmissionRow> & { name: string }>(sql`
    WITH RECURSIVE o(owner, n) AS (
      (SELECT owner, 1 FROM score_submissions
        WHERE board_id = ${boardId}::bigint AND owner > ${after}
        ORDER BY owner LIMIT 1)
      UNION ALL
      SELECT (
        SELECT i.owner FROM score_submissions i
        WHERE i.board_id = ${boardId}::bigint AND i.owner > o.owner
        ORDER BY i.owner LIMIT 1), n + 1
      FROM o
      WHERE o.owner IS NOT NULL AND n < ${limit}::int
    )
    SELECT o.owner AS name, ${SUBMISSION}
    FROM o
    LEFT JOIN LATERAL (
      SELECT * FROM score_submissions
      WHERE board_id = ${boardId}::bigint AND owner = o.owner AND sequence <= ${upTo}::bigint
      ORDER BY sequence DESC LIMIT 1) s ON true
    WHERE o.owner IS NOT NULL
    ORDER BY o.n`);
  const rows = found.flatMap((row) => (isFound(row) ? [toLedgerRow(row)] : []));
  return { rows, last: found.length < limit ? null : (found.at(-1)?.name ?? null) };
}

const isFound = (row: Nullable<SubmissionRow>): row is SubmissionRow => row.sequence !== null;

function toLedgerRow({
  board_id,
  sequence,
  owner,
  operation_id,
  score,
  metadata,
  submitted_at,
  standings,
}: SubmissionRow): LedgerRow {
  return {
    boardId: board_id,
    sequence,
    owner,
    operationId: operation_id,
    score,
    metadata,
    submittedMs: submitted_at.getTime(),
    standings,
  };
}
