/**
 * Apollo Sandbox from Apollo's CDN. Offline it points to
 * GraphiQL.
 */
import { GRAPHQL_PATH } from "../http/path.js";
import { type DemoOperation, EDITOR_OPERATIONS } from "./operations.js";
import { inScript, type Page, policyOf, scriptHash } from "./page.js";

const CDN = "https://embeddable-sandbox.cdn.apollographql.com";
const STYLE =
  "body{margin:0;font-family:system-ui}#offline{padding:3rem}" +
  "#sandbox,#sandbox iframe{position:absolute;inset:0;width:100%;height:100%;border:0}";
const OFFLINE =
  "Apollo Sandbox is loaded from Apollo's network, which cannot be reached. " +
  '<a href="/graphiql">GraphiQL</a> works without it.';
/** Options that its script adds. */
const ENDPOINTS = "initialEndpoint: here.href, initialSubscriptionEndpoint: live.href";

export function sandboxPage(): Page {
  const operations: readonly DemoOperation[] = EDITOR_OPERATIONS;
  const options = inScript(
    JSON.stringify({
      target: "#sandbox",
      hideCookieToggle: false,
      runTelemetry: false,
      initialState: {
        document: operations.map(({ query }) => query).join("\n"),
        // One editor for all three: the admin token would go
        // with the others too.
        variables: Object.assign({}, ...operations.map(({ variables }) => variables)),
        includeCookies: true,
      },
    }),
  );
  const script = `
    const here = new URL(${JSON.stringify(GRAPHQL_PATH)}, window.location.href);
    const live = new URL(here);
    live.protocol = here.protocol === "https:" ? "wss:" : "ws:";
    if (window.EmbeddedSandbox) {
      document.querySelector("#offline").remove();
      new window.EmbeddedSandbox({ ...${options}, ${ENDPOINTS} });
    }`;
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Souk · Apollo Sandbox</title>
<style>${STYLE}</style></head>
<body><div id="sandbox"></div>
<div id="offline"><h1>Souk</h1><p>${OFFLINE}</p></div>
<script src="${CDN}/_latest/embeddable-sandbox.umd.production.min.js"></script>
<script>${script}</script></body></html>`;
  return {
    html,
    policy: policyOf({
      "script-src": `${scriptHash(script)} ${CDN}`,
      "frame-src": "https://sandbox.embed.apollographql.com",
      "connect-src": "'self' ws: wss: https://*.apollographql.com",
      "style-src": "'self' 'unsafe-inline'",
      "img-src": "'self' data: https://*.apollographql.com",
      "font-src": "'self' data:",
    }),
  };
}
