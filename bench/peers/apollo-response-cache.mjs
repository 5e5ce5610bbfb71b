/** Apollo's own cache of whole responses, in Redis, over DataLoader and SQL. */
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginCacheControl } from "@apollo/server/plugin/cacheControl";
import responseCachePlugin from "@apollo/server-plugin-response-cache";
import { KeyvAdapter } from "@apollo/utils.keyvadapter";
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from "@as-integrations/fastify";
import KeyvRedis from "@keyv/redis";
import fastify from "fastify";
import Keyv from "keyv";
import { databaseContext, HOST, PORT, resolvers, TTL_SECONDS, typeDefs } from "./shop.mjs";

const app = fastify();
const apollo = new ApolloServer({
  typeDefs,
  resolvers,
  cache: new KeyvAdapter(new Keyv({ store: new KeyvRedis(process.env.REDIS_URL) })),
  plugins: [
    fastifyApolloDrainPlugin(app),
    ApolloServerPluginCacheControl({ defaultMaxAge: TTL_SECONDS }),
    responseCachePlugin(),
  ],
});
await apollo.start();
const context = async ({ headers }) => databaseContext(headers.authorization);
const handler = fastifyApolloHandler(apollo, { context });
app.route({ url: "/graphql", method: ["GET", "POST"], handler });
await app.listen({ host: HOST, port: PORT });
