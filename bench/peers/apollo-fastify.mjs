/** The usual way: Apollo Server with its default plugins on Fastify, DataLoader over Redis MGET. */
import { ApolloServer } from "@apollo/server";
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from "@as-integrations/fastify";
import fastify from "fastify";
import { HOST, PORT, redisContext, resolvers, typeDefs } from "./shop.mjs";

const app = fastify();
const apollo = new ApolloServer({ typeDefs, resolvers, plugins: [fastifyApolloDrainPlugin(app)] });
await apollo.start();
const context = async ({ headers }) => redisContext(headers.authorization);
const handler = fastifyApolloHandler(apollo, { context });
app.route({ url: "/graphql", method: ["GET", "POST"], handler });
await app.listen({ host: HOST, port: PORT });
