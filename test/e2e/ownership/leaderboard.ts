/** Leaderboards: who may name them. */
import { CURSOR, NO_USER, open, owned, type Rows, type Shop } from "../ownership-row.js";

const BOARDS = "boards are public, whatever owners they show";

/** A board of the row's own. */
async function boardOf({ owner, asAdmin }: Shop): Promise<string> {
  const slug = `of-${owner.email.slice(0, 36)}`;
  await asAdmin(
    'mutation ($slug: String!) { createLeaderboard(input: { slug: $slug, title: "Board" }) { ' +
      "errors { code } } }",
    { slug },
  );
  return slug;
}

export const rows: Rows = {
  "node(Leaderboard)": open(BOARDS),
  "nodes(Leaderboard)": open(BOARDS),
  "Query.leaderboards(after)": open(CURSOR),
  "Leaderboard.entries(after)": open(CURSOR),
  "Leaderboard.entry(owner)": open(BOARDS),
  "Leaderboard.around(owner)": open(BOARDS),
  "Mutation.submitScore(input.operationId)": open(
    "an id counts for the caller's own scores, and for each board apart",
  ),
  "Mutation.submitScore(input.owner)": owned({
    operation:
      "mutation ($slug: String!, $id: ID!) { submitScore(input: { slug: $slug, owner: $id, " +
      "score: 1 }) { changes { rank } errors { code message field } } }",
    theirs: async (shop) => ({ slug: await boardOf(shop), id: shop.owner.id }),
    missing: async (shop) => ({ slug: await boardOf(shop), id: NO_USER }),
  }),
};
