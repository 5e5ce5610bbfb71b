/** Submits scores of clients: checks caller, owner and bounds. */

import { type Principal, signedIn } from "../../domain/account/principal.js";
import {
  Unauthenticated,
  type UserError,
  type UserErrorCode,
  userError,
} from "../../domain/errors.js";
import { encodeId } from "../../domain/ids.js";
import {
  BOARD_LIMITS,
  type BoardRecord,
  MAX_SCORE,
  type ScoreChange,
} from "../../domain/leaderboard/leaderboard.js";
import { checkText, typed } from "../../domain/text.js";
import { MAX_OPERATION_ID, operationIdFault } from "../operation-id.js";
import type { RefusedScore } from "./commits.js";
import type { Ranks, ScorePipeline } from "./pipeline.js";

/** A score as a client sends it. */
export interface ScoreDraft {
  readonly slug: string;
  readonly score: number;
  readonly metadata: string | null;
  readonly operationId: string | null;
  /** Whose score it is; null means the caller's own. */
  readonly owner: string | null;
}

export interface ScoreOutcome {
  readonly changes: readonly ScoreChange[];
  readonly replayed: boolean;
  readonly errors: readonly UserError[];
}

export interface Scores {
  /** Throws Unauthenticated; ServiceUnavailable: it may be counted. */
  submit(principal: Principal, draft: ScoreDraft): Promise<ScoreOutcome>;
}

export interface ScoresDeps {
  readonly pipeline: Pick<ScorePipeline, "submit">;
  readonly bySlug: (slug: string) => Promise<BoardRecord | null>;
}

export function createScores({ pipeline, bySlug }: ScoresDeps): Scores {
  return {
    async submit(principal, draft) {
      const owner = ownerFor(principal, draft.owner);
      const errors = [
        typeof owner === "object" ? owner : null,
        checkScore(draft.score),
        checkMetadata(draft.metadata),
        checkOperation(draft.operationId),
      ];
      const wrongs = errors.filter((error) => error !== null);
      if (wrongs.length > 0 || typeof owner === "object") return refusedScore(wrongs);
      const board = await bySlug(draft.slug);
      const refused = checkOpenBoard(board);
      if (!board || refused) return refusedScore(refused ? [refused] : []);
      // Adding zero turns -0 into 0, which equals it.
      const submission = {
        owner,
        score: draft.score + 0,
        metadata: draft.metadata,
        operationId: draft.operationId,
      };
      const { committed, ranked } = pipeline.submit({ board, submission });
      const outcome = await committed;
      if (typeof outcome === "string") return refusedScore([SCORE_REFUSALS[outcome]]);
      const ranks = await ranked;
      return {
        changes: changesOf(board, outcome.row.standings, ranks ?? {}),
        replayed: outcome.replayed,
        errors: [],
      };
    },
  };
}

type Scored = Readonly<Partial<Record<ScoreChange["period"], { readonly score: number }>>>;

function changesOf({ periods }: BoardRecord, standings: Scored, ranks: Ranks): ScoreChange[] {
  return periods.flatMap((period) => {
    const [change, standing] = [ranks[period], standings[period]];
    return change && standing ? [{ period, ...change, score: standing.score }] : [];
  });
}

const refusedScore = (errors: readonly UserError[]): ScoreOutcome => ({
  changes: [],
  replayed: false,
  errors,
});

const scoreError = (code: UserErrorCode, field: string, message: string): UserError =>
  userError(code, ["input", field], message);

const SCORE_REFUSALS: Readonly<Record<RefusedScore, UserError>> = {
  tooFar: scoreError(
    "OUT_OF_RANGE",
    "score",
    "The sum would leave ±2^53, beyond which it would not be exact. Nothing was added.",
  ),
  mismatch: scoreError(
    "IDEMPOTENCY_MISMATCH",
    "operationId",
    "This operationId was used for another score. Use a new one for each score.",
  ),
};

/** The owner of the score: any for an admin, else the caller. */
function ownerFor(principal: Principal, asked: string | null): string | UserError {
  const user = signedIn(principal);
  if (!user && principal.kind !== "service")
    throw new Unauthenticated("This needs somebody who is signed in.");
  const own = user && encodeId("User", user.userId);
  const owner = asked === null ? own : typed(asked);
  if (owner === null)
    return scoreError("REQUIRED", "owner", "owner is needed: the service token is no person.");
  const fault = checkText({ field: "owner", kind: "line", max: BOARD_LIMITS.owner }, owner);
  if (fault) return fault;
  if (owner !== own && user?.role === "CUSTOMER")
    return scoreError("FORBIDDEN", "owner", "Scores of others are for admins.");
  return owner;
}

function checkScore(score: number): UserError | null {
  return Math.abs(score) <= MAX_SCORE
    ? null
    : scoreError(
        "OUT_OF_RANGE",
        "score",
        `score must be a number from -2^53 to 2^53 (${MAX_SCORE}).`,
      );
}

function checkMetadata(metadata: string | null): UserError | null {
  const size = metadata === null ? 0 : Buffer.byteLength(metadata);
  return size <= BOARD_LIMITS.metadata
    ? null
    : scoreError(
        "TOO_LONG",
        "metadata",
        `metadata has ${size} bytes; at most ${BOARD_LIMITS.metadata} are allowed.`,
      );
}

const OPERATION_ID_FAULTS = {
  REQUIRED: "operationId must not be empty.",
  TOO_LONG: `operationId must have at most ${MAX_OPERATION_ID} characters.`,
} as const;

function checkOperation(operationId: string | null): UserError | null {
  const fault = operationIdFault(operationId);
  return fault && scoreError(fault, "operationId", OPERATION_ID_FAULTS[fault]);
}

function checkOpenBoard(board: BoardRecord | null): UserError | null {
  if (!board) return scoreError("NOT_FOUND", "slug", "There is no leaderboard with this slug.");
  return board.source === "SHOP"
    ? scoreError("FORBIDDEN", "slug", "This leaderboard is fed by the shop alone.")
    : null;
}
