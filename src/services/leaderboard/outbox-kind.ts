/**
 * Scores of the shop's leaderboards in the outbox:
 * written with the change that causes them.
 */
import { z } from "zod";
import type { OutboxEntry } from "../../domain/events/outbox.js";
import { BOARD_LIMITS, MAX_SCORE, type ShopScore } from "../../domain/leaderboard/leaderboard.js";
import type { OutboxKind, OutboxKindSpec } from "../outbox/kind.js";

const SCORE_KIND = "score";

/**
 * The entry for scores; none where there are none.
 * Ordered by leaderboard.
 */
export function scoreEntries(scores: readonly ShopScore[]): OutboxEntry[] {
  if (scores.length === 0) return [];
  const keys = new Set(scores.map(({ slug }) => `board:${slug}`));
  return [{ kind: SCORE_KIND, keys: [...keys], payload: { scores } }];
}

type ScoresPayload = { readonly scores: readonly ShopScore[] };

const TEXT = z.string().min(1);
const SCORE: z.ZodType<ShopScore> = z.object({
  slug: TEXT,
  owner: TEXT.max(BOARD_LIMITS.owner),
  score: z.number().min(-MAX_SCORE).max(MAX_SCORE),
  operationId: TEXT.max(BOARD_LIMITS.operationId),
});

/** Scores that the ledger lacks. */
export const SCORE_SPEC: OutboxKindSpec<ScoresPayload> = {
  kind: SCORE_KIND,
  lists: { scores: SCORE },
  losses: { scores: "the shop's boards lack these scores for good" },
  invalidates: false,
};

/**
 * @param record writes scores into the ledger; one
 * that is there already is left
 */
export const createScoreKind = (
  record: (scores: readonly ShopScore[]) => Promise<void>,
): OutboxKind<ScoresPayload> => ({
  ...SCORE_SPEC,
  async send({ payload: { scores } }) {
    await record(scores);
    return 0;
  },
});
