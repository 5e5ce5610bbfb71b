/**
 * GraphiQL in one page; works offline. Subscriptions use
 * WebSocket. `?operation=Restock` opens one of ours.
 */
import { GRAPHQL_PATH } from "../http/path.js";
import { DEMO_OPERATIONS, EDITOR_OPERATIONS } from "./operations.js";
import { dataBlock, type Page, policyOf, scriptHash } from "./page.js";

/** Makes the page for a browser. */
export type GraphiqlPage = (adminToken: string | undefined) => Page;

const CALL = "YogaGraphiQL.renderYogaGraphiQL(";
const SCRIPT_TAG = "<script>";
const START = '<script src="/explorer/graphiql.js"></script>';

/** Takes 38 MiB: call it where a page is asked for. */
export async function loadGraphiql(): Promise<GraphiqlPage> {
  const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
  const rendered = renderGraphiQL({ title: "Souk · GraphiQL" });
  const library = rendered.slice(0, rendered.lastIndexOf(CALL));
  const script = library.slice(library.indexOf(SCRIPT_TAG) + SCRIPT_TAG.length);
  const policy = policyOf({
    // The editor starts workers from blobs and compiles its
    // grammars.
    "script-src": `${scriptHash(script)} 'self' 'unsafe-eval' blob:`,
    "worker-src": "blob:",
    "connect-src": "'self' ws: wss: data:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
  });
  return (adminToken) => {
    const data = dataBlock("souk", {
      options: {
        title: "Souk · GraphiQL",
        endpoint: GRAPHQL_PATH,
        subscriptionsProtocol: "WS",
        credentials: "same-origin",
      },
      tabs: EDITOR_OPERATIONS,
      operations: DEMO_OPERATIONS,
      adminToken,
    });
    return { html: `${library}</script>${data}${START}</body></html>`, policy };
  };
}
