/**
 * The two explorer pages, each with its own content security
 * policy.
 */
import { sha256 } from "../domain/hash.js";
import { encodeId } from "../domain/ids.js";
import { GRAPHQL_PATH } from "./http/path.js";

export interface Page {
  readonly html: string;
  readonly policy: string;
}

/** An operation that runs as it stands. */
export interface DefaultOperation {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The first product of a seeded shop. */
const FIRST_PRODUCT = encodeId("Product", 1);

const AS_IT_IS_NOW = "The first message is the product as it is now; leave it running.";
const SHOWN_BY_WATCH = "Watch shows the change in the other tab.";
const CARD = "id name sku stock price { amount currency } brand { name } category { name }";

/** The editor's first content: one public operation of each kind. */
export const DEFAULT_OPERATIONS: readonly DefaultOperation[] = [
  {
    query: `# Welcome to Souk. Three operations to try; press the play button.

query Storefront {
  products(first: 5, sort: RATING) {
    totalCount
    edges {
      cursor
      node { ${CARD} rating { average count } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  },
  {
    query: `# Any id of Storefront goes into the variables. ${AS_IT_IS_NOW}
subscription Watch($ids: [ID!]!) {
  productChanged(ids: $ids) {
    id
    version
    product { name stock price { amount currency } }
  }
}
`,
    variables: { ids: [FIRST_PRODUCT] },
  },
  {
    query: `# For admins: put the token that npm start printed into the headers. ${SHOWN_BY_WATCH}
mutation Restock($id: ID!) {
  adjustStock(id: $id, by: 5) {
    product { id stock }
    errors { code message field }
  }
}
`,
    variables: { id: FIRST_PRODUCT },
    headers: { Authorization: "Bearer <admin token>" },
  },
];

/** As the editors take it: JSON texts. */
const tabOf = ({ query, variables, headers }: DefaultOperation) => ({
  query,
  variables: variables ? JSON.stringify(variables) : null,
  headers: headers ? JSON.stringify(headers) : null,
});

/**
 * GraphiQL in one page; works offline. Subscriptions use
 * WebSocket.
 */
export async function graphiqlPage(): Promise<Page> {
  // Its text takes 38 MiB: loaded where a page is asked for.
  const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
  const html = renderGraphiQL({
    title: "Souk · GraphiQL",
    endpoint: GRAPHQL_PATH,
    subscriptionsProtocol: "WS",
    defaultQuery: DEFAULT_OPERATIONS[0]?.query,
    defaultTabs: DEFAULT_OPERATIONS.map(tabOf),
    credentials: "same-origin",
  } as Parameters<typeof renderGraphiQL>[0]);
  const script = html.slice(
    html.indexOf("<script>") + "<script>".length,
    html.lastIndexOf("</script>"),
  );
  return {
    html,
    policy: policyOf({
      // The editor starts workers from blobs and compiles its
      // grammars.
      "script-src": `${scriptHash(script)} 'unsafe-eval' blob:`,
      "worker-src": "blob:",
      "connect-src": "'self' ws: wss: data:",
    }),
  };
}

const SANDBOX_CDN = "https://embeddable-sandbox.cdn.apollographql.com";
const SANDBOX_STYLE =
  "body{margin:0;font-family:system-ui}#offline{padding:3rem}" +
  "#sandbox,#sandbox iframe{position:absolute;inset:0;width:100%;height:100%;border:0}";
const SANDBOX_OFFLINE =
  "Apollo Sandbox is loaded from Apollo's network, which cannot be reached. " +
  '<a href="/graphiql">GraphiQL</a> works without it.';
/** Options that its script adds. */
const ENDPOINTS = "initialEndpoint: here.href, initialSubscriptionEndpoint: live.href";

/**
 * Apollo Sandbox from Apollo's CDN. Offline it points to
 * GraphiQL.
 */
export function sandboxPage(): Page {
  const options = JSON.stringify({
    target: "#sandbox",
    hideCookieToggle: false,
    runTelemetry: false,
    initialState: {
      document: DEFAULT_OPERATIONS.map(({ query }) => query).join("\n"),
      // One editor for all three: an unfilled token would fail
      // the others.
      variables: Object.assign({}, ...DEFAULT_OPERATIONS.map(({ variables }) => variables)),
      includeCookies: true,
    },
  }).replaceAll("<", "\\u003c");
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
<style>${SANDBOX_STYLE}</style></head>
<body><div id="sandbox"></div>
<div id="offline"><h1>Souk</h1><p>${SANDBOX_OFFLINE}</p></div>
<script src="${SANDBOX_CDN}/_latest/embeddable-sandbox.umd.production.min.js"></script>
<script>${script}</script></body></html>`;
  return {
    html,
    policy: policyOf({
      "script-src": `${scriptHash(script)} ${SANDBOX_CDN}`,
      "frame-src": "https://sandbox.embed.apollographql.com",
      "connect-src": "'self' ws: wss: https://*.apollographql.com",
    }),
  };
}

function policyOf(directives: Readonly<Record<string, string>>): string {
  const all = {
    "default-src": "'none'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: https://*.apollographql.com",
    "font-src": "'self' data:",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    ...directives,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}

/** Allows exactly this inline script. */
const scriptHash = (script: string): string => `'sha256-${sha256(script, "base64")}'`;
