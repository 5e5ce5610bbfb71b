/**
 * The boards that the shop feeds, and their scores. A
 * score is written in the outbox row of the change that
 * causes it. It counts once, by an operation id made of
 * the event. So sending can be repeated.
 *
 * Until there are orders, other events stand in for
 * them. Stock that an admin removes counts as sold. A
 * customer's first review of a product counts as a
 * purchase. Orders will call the same functions.
 */
import { encodeId } from "../../domain/ids.js";
import {
  BOARD_LIMITS,
  type BoardDraft,
  type BoardRecord,
  type ShopScore,
} from "../../domain/leaderboard/leaderboard.js";
import { PERIODS } from "../../domain/leaderboard/periods.js";
import type { Leaderboards } from "./leaderboards.js";
import type { ScorePipeline } from "./pipeline.js";

const shopBoard = (slug: string, title: string): BoardDraft => ({
  slug,
  title,
  operator: "SUM",
  order: "DESC",
  tieRule: "FIRST_TO_REACH",
  periods: PERIODS,
  timeZone: "UTC",
});

/** The shop's own boards. */
export const SHOP_BOARDS = {
  bestSelling: shopBoard("best-selling-products", "Best-selling products"),
  mostActive: shopBoard("most-active-buyers", "Most active buyers"),
} as const;

/** Pieces of a product were sold. @param event names the sale, uniquely */
export function sold(productId: number, pieces: number, event: string): ShopScore[] {
  return [
    scoreFor(SHOP_BOARDS.bestSelling, {
      owner: encodeId("Product", productId),
      score: pieces,
      event,
    }),
  ];
}

/** A customer was active. @param event names the action, uniquely */
export function wasActive(userId: number, event: string): ShopScore[] {
  return [scoreFor(SHOP_BOARDS.mostActive, { owner: encodeId("User", userId), score: 1, event })];
}

function scoreFor(
  { slug }: BoardDraft,
  { owner, score, event }: { owner: string; score: number; event: string },
): ShopScore {
  if (event.length > BOARD_LIMITS.operationId)
    throw new Error(`The event ${event} has too long a name for an operation id.`);
  return { slug, owner, score, operationId: event };
}

export interface ShopBoards {
  /** Creates the boards that are missing. */
  provide(): Promise<void>;
  /** Writes scores, each once. Rejects when one is refused or unknown. */
  record(scores: readonly ShopScore[]): Promise<void>;
}

export function createShopBoards({
  leaderboards,
  pipeline,
}: {
  leaderboards: Pick<Leaderboards, "provide" | "bySlug">;
  pipeline: Pick<ScorePipeline, "submit">;
}): ShopBoards {
  const drafts = new Map<string, BoardDraft>(
    Object.values(SHOP_BOARDS).map((draft) => [draft.slug, draft]),
  );
  const boardOf = async (slug: string): Promise<BoardRecord | null> => {
    const draft = drafts.get(slug);
    return draft ? ((await leaderboards.bySlug(slug)) ?? leaderboards.provide(draft)) : null;
  };
  return {
    async provide() {
      for (const slug of drafts.keys()) await boardOf(slug);
    },
    async record(scores) {
      const recorded = scores.map(async ({ slug, owner, score, operationId }) => {
        const board = await boardOf(slug);
        // A row of an older release may name a board that is
        // no longer fed.
        if (!board) return;
        const outcome = await pipeline.submit({
          board,
          submission: { owner, score, operationId, metadata: null },
        }).committed;
        if (typeof outcome === "string")
          throw new Error(`the board ${slug} refuses the score ${operationId}: ${outcome}`);
      });
      const failed = (await Promise.allSettled(recorded)).find(
        (outcome) => outcome.status === "rejected",
      );
      if (failed) throw failed.reason;
    },
  };
}
