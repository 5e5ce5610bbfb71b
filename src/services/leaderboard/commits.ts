/**
 * Group commit: the scores of many callers in one
 * transaction. The result of each is decided under the
 * locks of their boards. So the ledger is exact:
 * sequences without gaps, sums within bounds, and each
 * operation id counts once.
 */
import type { Database, Tx } from "../../db/client/database.js";
import type { LedgerHead, LedgerRow, ScoreLedger } from "../../db/leaderboard/ledger.js";
import {
  advance,
  type BoardRecord,
  type Standing,
  type Submission,
} from "../../domain/leaderboard/leaderboard.js";
import type { Period } from "../../domain/leaderboard/periods.js";
import type { Calendars } from "./calendars.js";
import { type PlacedRow, placeRows } from "./standings.js";

/** A score for a board. */
export interface ScoreEntry {
  readonly board: BoardRecord;
  readonly submission: Omit<Submission, "boardId">;
}

/** A score that stands in the ledger. */
export interface CommittedScore extends PlacedRow {
  /** It was there before, under the same operation id. */
  readonly replayed: boolean;
}

/** The sum would leave its bounds, or the id names another score. */
export type RefusedScore = "tooFar" | "mismatch";

/** Commits all or nothing. Rejects with DatabaseUnavailable. */
export type CommitScores = (
  entries: readonly ScoreEntry[],
) => Promise<(CommittedScore | RefusedScore)[]>;

/** What commits of scores report. */
export interface ScoreTelemetry {
  /** Scores were committed together, in so long. */
  scores(count: number, durationMs: number): void;
}

export interface ScoreCommitDeps {
  readonly database: Pick<Database, "transaction">;
  readonly ledger: ScoreLedger;
  readonly calendars: Calendars;
  readonly telemetry: ScoreTelemetry;
}

export function createScoreCommits({
  database,
  ledger,
  calendars,
  telemetry,
}: ScoreCommitDeps): CommitScores {
  return async (entries) => {
    const startedAt = performance.now();
    const outcomes = await write(entries);
    telemetry.scores(entries.length, performance.now() - startedAt);
    return outcomes;
  };

  function write(entries: readonly ScoreEntry[]): Promise<(CommittedScore | RefusedScore)[]> {
    return database.transaction(async (tx) => {
      const decisions = await decide(tx, entries);
      const added = decisions.flatMap((decision) =>
        typeof decision === "object" && !decision.replayed ? [decision.row] : [],
      );
      await ledger.append(tx, added);
      const rows = decisions.flatMap((decision) =>
        typeof decision === "object" ? [decision.row] : [],
      );
      const placed = await placeRows(ledger, tx, rows);
      return decisions.map((decision) =>
        typeof decision === "object"
          ? { ...(placed.shift() as PlacedRow), replayed: decision.replayed }
          : decision,
      );
    });
  }

  async function decide(
    tx: Tx,
    entries: readonly ScoreEntry[],
  ): Promise<(DecidedScores | RefusedScore)[]> {
    const submissions = entries.map(
      ({ board, submission }): Submission => ({ ...submission, boardId: board.id }),
    );
    const heads = await ledger.lock(tx, [...new Set(submissions.map(({ boardId }) => boardId))]);
    const known = await ledger.known(tx, submissions);
    const owners = [
      ...new Map(submissions.map((submission) => [ownerOf(submission), submission])).values(),
    ];
    const latest = await ledger.latest(tx, owners);
    const state = new LedgerState(heads, latest, calendars);
    return entries.map(({ board }, index) =>
      state.add(board, submissions[index] as Submission, known[index] ?? null),
    );
  }
}

interface DecidedScores {
  readonly row: LedgerRow;
  readonly replayed: boolean;
}

/** The ledgers of locked boards, with the rows to append. */
class LedgerState {
  private readonly heads: Map<number, { sequence: number; nowMs: number }>;
  private readonly last = new Map<string, LedgerRow>();
  private readonly operations = new Map<string, LedgerRow>();

  constructor(
    heads: readonly LedgerHead[],
    latest: readonly (LedgerRow | null)[],
    private readonly calendars: Calendars,
  ) {
    this.heads = new Map(heads.map(({ boardId, ...head }) => [boardId, { ...head }]));
    for (const row of latest) if (row) this.last.set(ownerOf(row), row);
  }

  /** Decides one score. `known` is the row with its operation id. */
  add(
    board: BoardRecord,
    submission: Submission,
    known: LedgerRow | null,
  ): DecidedScores | RefusedScore {
    const before = known ?? this.operations.get(operationOf(submission));
    if (before) return isSame(before, submission) ? { row: before, replayed: true } : "mismatch";
    const head = this.heads.get(board.id);
    if (!head) throw new Error("A leaderboard is gone: they must never be deleted.");
    const standings = this.standingsAfter(board, submission, head);
    if (!standings) return "tooFar";
    head.sequence += 1;
    const row = { ...submission, sequence: head.sequence, submittedMs: head.nowMs, standings };
    this.last.set(ownerOf(row), row);
    if (row.operationId !== null) this.operations.set(operationOf(row), row);
    return { row, replayed: false };
  }

  /** The owner's standings; null when a sum leaves its bounds. */
  private standingsAfter(
    board: BoardRecord,
    submission: Submission,
    { sequence, nowMs }: { sequence: number; nowMs: number },
  ) {
    const before = this.last.get(ownerOf(submission))?.standings;
    const standings: Partial<Record<Period, Standing>> = {};
    for (const period of board.periods) {
      const { startMs } = this.calendars.windowAt(board, period, nowMs);
      const standing = advance(board, before?.[period], {
        sequence: sequence + 1,
        score: submission.score,
        startMs,
      });
      if (!standing) return null;
      standings[period] = standing;
    }
    return standings;
  }
}

const ownerOf = ({ boardId, owner }: Pick<Submission, "boardId" | "owner">): string =>
  JSON.stringify([boardId, owner]);

function operationOf({ boardId, owner, operationId }: Submission): string {
  return operationId === null ? "" : JSON.stringify([boardId, owner, operationId]);
}

const isSame = (row: LedgerRow, { score, metadata }: Submission): boolean =>
  row.score === score && row.metadata === metadata;
