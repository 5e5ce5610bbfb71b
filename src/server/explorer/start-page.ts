/**
 * The first page, at `GET /`: what this is, the logins, the state
 * of the servers, and a live demo.
 */
import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import { GRAPHQL_PATH } from "../http/path.js";
import { assetPath } from "./assets.js";
import { type DemoSecrets, secretsFor } from "./demo-secrets.js";
import { DEMO_BOARD, DEMO_OPERATIONS, DEMO_PRODUCT } from "./operations.js";
import { dataBlock, policyOf, sendPage } from "./page.js";

/** Where the page's data stands in its HTML. */
const DATA = "<!-- data -->";

const POLICY = policyOf({
  "script-src": "'self'",
  "style-src": "'self'",
  // Safari does not count WebSockets as 'self'.
  "connect-src": "'self' ws: wss:",
  "img-src": "data:",
});

/** @param sandbox whether GET /graphql is Apollo Sandbox */
export function addStartPage(
  app: FastifyInstance,
  { secrets, sandbox }: { readonly secrets: DemoSecrets; readonly sandbox: boolean },
): void {
  app.get("/", async (request, reply) => {
    const html = await readFile(assetPath("start.html"), "utf8");
    const data = dataBlock("souk", {
      path: GRAPHQL_PATH,
      operations: DEMO_OPERATIONS,
      product: DEMO_PRODUCT,
      board: DEMO_BOARD,
      sandbox,
      ...secretsFor(request.raw, secrets),
    });
    return sendPage(reply, { html: html.replace(DATA, () => data), policy: POLICY });
  });
}
