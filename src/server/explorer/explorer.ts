/**
 * The explorer, for development. `EXPLORER=sandbox` shows Apollo
 * Sandbox at GET /graphql, `graphiql` shows GraphiQL there; both
 * serve /graphiql and, outside production, the first page. `off`
 * serves none of them and turns introspection off.
 */
import type { FastifyInstance, RouteHandlerMethod } from "fastify";
import type { Config } from "../../config/config.js";
import { GRAPHQL_PATH } from "../http/path.js";
import { addAssets } from "./assets.js";
import { type DemoSecrets, secretsFor } from "./demo-secrets.js";
import { type GraphiqlPage, loadGraphiql } from "./graphiql-page.js";
import { sendPage } from "./page.js";
import { sandboxPage } from "./sandbox-page.js";
import { addStartPage } from "./start-page.js";

/** Adds the pages; each is made on first use. */
export function addExplorer(
  app: FastifyInstance,
  { production, http: { explorer, trustedProxies } }: Pick<Config, "production" | "http">,
  demo: DemoSecrets,
): void {
  if (explorer === "off") return;
  // Behind a proxy every browser seems to be on this machine.
  const secrets = production || trustedProxies.length > 0 ? {} : demo;
  const sandbox = explorer === "sandbox";
  let graphiql: GraphiqlPage | null = null;
  const sendGraphiql: RouteHandlerMethod = async ({ raw }, reply) => {
    graphiql ??= await loadGraphiql();
    return sendPage(reply, graphiql(secretsFor(raw, secrets).adminToken));
  };
  app.get("/graphiql", sendGraphiql);
  app.get(
    GRAPHQL_PATH,
    sandbox ? async (_request, reply) => sendPage(reply, sandboxPage()) : sendGraphiql,
  );
  addAssets(app);
  if (!production) addStartPage(app, { secrets, sandbox });
}
