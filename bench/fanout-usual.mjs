/**
 * The peer: live updates as most teams write them. Apollo Server for the rest of the API,
 * graphql-ws for subscriptions, and graphql-redis-subscriptions between processes; whoever changes
 * a board publishes it whole, so that no subscriber reads anything.
 */
import { createServer } from "node:http";
import { ApolloServer } from "@apollo/server";
import { makeExecutableSchema } from "@graphql-tools/schema";
import { RedisPubSub } from "graphql-redis-subscriptions";
import { useServer } from "graphql-ws/use/ws";
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

const pubsub = new RedisPubSub({
  publisher: new Redis(process.env.REDIS_URL),
  subscriber: new Redis(process.env.REDIS_URL),
});
const typeDefs = `#graphql
  type LeaderboardEntry { rank: Int! score: Float! owner: ID! label: String! }
  type LeaderboardSnapshot { version: String! total: Int! entries: [LeaderboardEntry!]! }
  type Query { ok: Boolean }
  type Subscription { leaderboardChanged(slug: String!): LeaderboardSnapshot! }
`;
const resolvers = {
  Subscription: {
    leaderboardChanged: {
      subscribe: (_, { slug }) => pubsub.asyncIterableIterator(`leaderboardChanged:${slug}`),
    },
  },
};
const schema = makeExecutableSchema({ typeDefs, resolvers });
await new ApolloServer({ schema }).start();
const server = createServer((_request, response) => response.end("ok"));
useServer({ schema }, new WebSocketServer({ server, path: "/graphql" }));
process.once("SIGTERM", () => process.exit(0));
server.listen(Number(process.env.PORT), "127.0.0.1");
