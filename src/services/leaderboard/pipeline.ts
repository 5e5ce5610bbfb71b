/**
 * From a caller's score to its ranks. Waiting scores
 * are committed together, one transaction after the
 * other. A committed batch is put on its boards while
 * the next one commits. A score in the ledger counts:
 * boards that lack it catch up later.
 */
import { BoundedQueue } from "../../domain/concurrency/bounded-queue.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import type { BoardRecord } from "../../domain/leaderboard/leaderboard.js";
import type { Period } from "../../domain/leaderboard/periods.js";
import { SECOND } from "../../domain/time/time.js";
import type {
  Applied,
  BoardStore,
  RankChange,
  ScoreBatch,
} from "../../redis/leaderboard/leaderboard.js";
import { bisect } from "../bisect.js";
import type { Calendars } from "./calendars.js";
import type { ChangePublisher } from "./change-publisher.js";
import type { CommitScores, CommittedScore, RefusedScore, ScoreEntry } from "./commits.js";
import type { BoardRebuild } from "./rebuild.js";
import { toBatches } from "./standings.js";

/** Ranks by period; absent for a period that is finished by now. */
export type Ranks = Readonly<Partial<Record<Period, RankChange>>>;

/** A score on its way. */
export interface SubmittedScore {
  /**
   * Resolves when it is in the ledger, or refused. Rejects
   * with ServiceUnavailable: then it may be in the ledger.
   */
  readonly committed: Promise<CommittedScore | RefusedScore>;
  /**
   * Resolves when it is on the board. Rejects with
   * ServiceUnavailable; null for one that was refused.
   */
  readonly ranked: Promise<Ranks | null>;
}

export interface ScorePipelineDeps {
  readonly commit: CommitScores;
  readonly store: Pick<BoardStore, "apply">;
  readonly rebuild: Pick<BoardRebuild, "use">;
  readonly changes: Pick<ChangePublisher, "publish">;
  readonly calendars: Calendars;
}

/** Scores of one transaction. */
const MAX_COMMIT = 500;
/** Scores that may wait: bounds memory. */
const MAX_WAITING = 10_000;
/** A score that waited longer is refused, and not written. */
const MAX_COMMIT_WAIT_MS = 2 * SECOND;
const PIPELINE_BUSY =
  "Too many scores are being submitted. Nothing was written; try again in a moment.";

/** A promise and what settles it. */
class Deferred<T> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    // A caller may use one promise of a score and ignore
    // the other.
    this.promise.catch(() => {});
  }
}

interface Waiting {
  readonly entry: ScoreEntry;
  readonly committed: Deferred<CommittedScore | RefusedScore>;
  readonly ranked: Deferred<Ranks | null>;
}

/** A score in the ledger whose ranks are awaited. */
interface RankedLater {
  readonly board: BoardRecord;
  readonly score: CommittedScore;
  readonly ranked: Deferred<Ranks | null>;
}

/** Commits scores and puts them on their boards. */
export class ScorePipeline {
  private readonly queue = new BoundedQueue<Waiting>({
    maxLength: MAX_WAITING,
    maxWaitMs: MAX_COMMIT_WAIT_MS,
    refuse: (waiting) => failAll(waiting, new ServiceUnavailable(PIPELINE_BUSY)),
  });
  private committing = false;

  constructor(private readonly deps: ScorePipelineDeps) {}

  /** Throws ServiceUnavailable where too many wait. */
  submit(entry: ScoreEntry): SubmittedScore {
    const waiting: Waiting = { entry, committed: new Deferred(), ranked: new Deferred() };
    if (!this.queue.push(waiting)) throw new ServiceUnavailable(PIPELINE_BUSY);
    if (!this.committing) void this.run();
    return { committed: waiting.committed.promise, ranked: waiting.ranked.promise };
  }

  private async run(): Promise<void> {
    this.committing = true;
    while (this.queue.length > 0) {
      const waiting = this.queue.take(MAX_COMMIT);
      if (waiting.length > 0) await this.commitSome(waiting);
    }
    this.committing = false;
  }

  private async commitSome(waiting: readonly Waiting[]): Promise<void> {
    try {
      await bisect(waiting, (some) => this.commitTogether(some), failAll);
    } catch (error) {
      for (const one of waiting) failAll(one, error);
    }
  }

  /** Rejects with nothing written. Failed ranks fail no commit. */
  private async commitTogether(waiting: readonly Waiting[]): Promise<void> {
    const outcomes = await this.deps.commit(waiting.map(({ entry }) => entry));
    const committed = waiting.flatMap((one, index) =>
      settleAll(one, outcomes[index] as CommittedScore | RefusedScore),
    );
    for (const scores of groupByBoard(
      committed,
      ({ board, score }) => `${board.id}:${score.replayed}`,
    )) {
      try {
        this.rank(scores);
      } catch (error) {
        for (const { ranked } of scores) ranked.reject(error);
      }
    }
  }

  /** New scores in ledger order, or repeated ones. */
  private rank(scores: readonly RankedLater[]): void {
    const [{ board, score: first }] = scores as [RankedLater];
    const [applied, calendars] = [first.replayed, this.deps.calendars];
    const answerOf = ({ operationId }: { operationId: string | null }) =>
      operationId === null ? "rank" : "keep";
    const rows = scores.map(({ score }) => score);
    let done = 0;
    for (const batch of toBatches(board, rows, { calendars, answerOf, applied })) {
      const part = scores.slice(done, done + batch.rows.length);
      done += part.length;
      this.apply(board, batch).then(
        (ranks) => {
          for (const [index, { ranked }] of part.entries()) ranked.resolve(ranks[index] ?? {});
        },
        (error) => {
          for (const { ranked } of part) ranked.reject(error);
        },
      );
    }
  }

  private async apply(board: BoardRecord, batch: ScoreBatch): Promise<readonly Ranks[]> {
    const { rebuild, store, changes } = this.deps;
    const { version, changes: ranks } = await rebuild.use<Applied>(board, (build) =>
      store.apply(build, batch),
    );
    changes.publish(board, version);
    return ranks;
  }
}

/** Changes nothing for a score that is settled. */
function failAll({ committed, ranked }: Waiting, error: unknown): void {
  committed.reject(error);
  ranked.reject(error);
}

function settleAll(
  { entry, committed, ranked }: Waiting,
  outcome: CommittedScore | RefusedScore,
): RankedLater[] {
  committed.resolve(outcome);
  if (typeof outcome === "object") return [{ board: entry.board, score: outcome, ranked }];
  ranked.resolve(null);
  return [];
}

function groupByBoard<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return [...groups.values()];
}
