/**
 * The explorer. `EXPLORER=sandbox` shows Apollo Sandbox at GET
 * /graphql, `graphiql` shows GraphiQL there; both serve
 * /graphiql. `off` serves neither and turns introspection off.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Config } from "../config/config.js";
import { graphiqlPage, type Page, sandboxPage } from "./explorer-pages.js";
import { GRAPHQL_PATH } from "./http/path.js";

/** Adds /graphiql and the page at /graphql, made on first use. */
export function addExplorer(app: FastifyInstance, mode: Config["http"]["explorer"]): void {
  if (mode === "off") return;
  const graphiql = once(graphiqlPage);
  const atGraphql = mode === "sandbox" ? once(sandboxPage) : graphiql;
  app.get("/graphiql", async (_request, reply) => sendPage(reply, await graphiql()));
  app.get(GRAPHQL_PATH, async (_request, reply) => sendPage(reply, await atGraphql()));
}

function sendPage(reply: FastifyReply, { html, policy }: Page): FastifyReply {
  // Replaces helmet's. The Sandbox frame needs this window to
  // answer.
  reply
    .header("content-security-policy", policy)
    .header("cross-origin-opener-policy", "unsafe-none");
  return reply.header("cache-control", "no-store").type("text/html; charset=utf-8").send(html);
}

/** A page that could not be made is made again when asked for. */
function once(make: () => Page | Promise<Page>): () => Promise<Page> {
  let page: Page | null = null;
  return async () => {
    page ??= await make();
    return page;
  };
}
