/** GraphQL Yoga on node:http, with its cache of whole responses in memory. */
import { createServer } from "node:http";
import { useResponseCache } from "@graphql-yoga/plugin-response-cache";
import { createSchema, createYoga } from "graphql-yoga";
import {
  databaseContext,
  HOST,
  NEVER_STORED,
  PORT,
  resolvers,
  TTL_SECONDS,
  typeDefs,
} from "./shop.mjs";

const responseCache = useResponseCache({
  session: () => null,
  ttl: TTL_SECONDS * 1_000,
  ttlPerSchemaCoordinate: Object.fromEntries(NEVER_STORED.map((field) => [field, 0])),
});
const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: ({ request }) => databaseContext(request.headers.get("authorization") ?? undefined),
  plugins: [responseCache],
  logging: false,
  landingPage: false,
  graphiql: false,
});
createServer(yoga).listen(PORT, HOST);
