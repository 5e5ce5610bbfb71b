/**
 * Anything by its global id, and the owners of leaderboard
 * entries.
 */
import { LeaderboardOwnerResolver } from "../resolvers/leaderboard/owner.js";
import { NodeResolver } from "../resolvers/node.js";
import { leaderboard } from "./leaderboard.js";
import { defineSubject } from "./module.js";

export const node = defineSubject({
  name: "node",
  resolvers: [NodeResolver, LeaderboardOwnerResolver],
  open: ({ config: { currency } }) => ({
    serve(use) {
      const nodes = new NodeResolver(currency, use(leaderboard).leaderboards);
      return { services: {}, resolvers: [nodes, new LeaderboardOwnerResolver(nodes)] };
    },
  }),
});
