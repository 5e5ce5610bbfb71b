/**
 * The explorer: `EXPLORER=sandbox` shows Apollo Sandbox at GET /graphql, `graphiql` shows GraphiQL
 * there; both serve GraphiQL at /graphiql too. `off` serves neither, and introspection is off with
 * it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Config } from "../config/config.js";
import { graphiqlPage, type Page, sandboxPage } from "./explorer-pages.js";

/** Answers a browser that opens GET /graphql; null where there is no explorer. */
export type ShowExplorer = ((reply: FastifyReply) => FastifyReply) | null;

/**
 * Adds /graphiql and answers what shows the explorer at /graphql. Pages are made once, when first
 * asked for.
 */
export function addExplorer(app: FastifyInstance, mode: Config["http"]["explorer"]): ShowExplorer {
  if (mode === "off") return null;
  const graphiql = once(graphiqlPage);
  const atGraphql = mode === "sandbox" ? once(sandboxPage) : graphiql;
  app.get("/graphiql", async (_request, reply) => send(reply, graphiql()));
  return (reply) => send(reply, atGraphql());
}

/** Whether a request is a browser opening the page, rather than a client asking a query. */
export function wantsPage({ method, headers }: FastifyRequest): boolean {
  const accept = headers.accept ?? "";
  return method === "GET" && accept.includes("text/html") && !accept.includes("json");
}

function send(reply: FastifyReply, { html, policy }: Page): FastifyReply {
  // Set after helmet's, and so instead of it. The Sandbox frame needs our window to answer it.
  reply
    .header("content-security-policy", policy)
    .header("cross-origin-opener-policy", "unsafe-none");
  return reply.header("cache-control", "no-store").type("text/html; charset=utf-8").send(html);
}

function once(make: () => Page): () => Page {
  let page: Page | null = null;
  return () => {
    page ??= make();
    return page;
  };
}
