/** Mercurius with its jit from the first request, and its cache of resolvers in Redis, if any. */
import fastify from "fastify";
import { Redis } from "ioredis";
import mercurius from "mercurius";
import mercuriusCache from "mercurius-cache";
import { databaseContext, HOST, PORT, resolvers, TTL_SECONDS, typeDefs } from "./shop.mjs";

const client = new Redis(process.env.REDIS_URL, { enableAutoPipelining: true });
const byArgument = { key: ({ arg }) => arg.id };

const app = fastify();
await app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  context: ({ headers }) => databaseContext(headers.authorization),
});
if (process.env.CACHE !== "none")
  await app.register(mercuriusCache, {
    ttl: TTL_SECONDS,
    storage: { type: "redis", options: { client } },
    policy: {
      Query: { categories: true, category: byArgument, product: byArgument },
      Category: { products: { key: ({ self, arg }) => `${self.id}:${arg.first}` } },
      Product: { category: { key: ({ self }) => `${self.category_id}` } },
    },
  });
await app.listen({ host: HOST, port: PORT });
