/** Apollo Server on Express, without any cache: DataLoader over SQL. */
import { ApolloServer } from "@apollo/server";
import { expressMiddleware } from "@as-integrations/express5";
import express from "express";
import { databaseContext, HOST, PORT, resolvers, typeDefs } from "./shop.mjs";

const apollo = new ApolloServer({ typeDefs, resolvers });
await apollo.start();
const context = async ({ req }) => databaseContext(req.headers.authorization);
express()
  .use("/graphql", express.json(), expressMiddleware(apollo, { context }))
  .listen(PORT, HOST);
