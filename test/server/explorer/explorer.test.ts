/** The explorer's pages, in a real browser where the machine has one. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launchBrowser, watchProblems } from "../../support/browser.js";
import { startServer, type TestServer } from "../test-server.js";

let souk: TestServer;

beforeAll(async () => {
  souk = await startServer();
});
afterAll(() => souk.close());

const open = (
  url: string,
  headers: Record<string, string> = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
) => fetch(url, { headers });

test("A browser at GET /graphql gets Sandbox, set up, and a way to offline GraphiQL.", async () => {
  const response = await open(souk.graphql);
  const html = await response.text();
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  for (const part of [
    "embeddable-sandbox",
    "includeCookies",
    "initialSubscriptionEndpoint",
    "/graphiql",
    "productChanged",
  ])
    expect(html).toContain(part);
  expect(response.headers.get("content-security-policy")).toContain(
    "frame-src https://sandbox.embed.apollographql.com",
  );
});

test("A client at GET /graphql gets GraphQL, also where it accepts anything.", async () => {
  const response = await open(`${souk.graphql}?query={hello}`, {
    accept: "*/*",
    "apollo-require-preflight": "1",
  });
  expect(await response.json()).toEqual({ data: { hello: "Hello world" } });
});

test("EXPLORER=graphiql shows GraphiQL at both, EXPLORER=off not even a schema.", async () => {
  const own = await startServer({ EXPLORER: "graphiql" });
  expect(await (await open(own.graphql)).text()).toContain("YogaGraphiQL");
  await own.close();
  const off = await startServer({ NODE_ENV: "production" });
  expect((await open(`${off.url}/graphiql`)).status).toBe(404);
  expect((await open(off.graphql)).headers.get("content-type")).toMatch(/^application\/json/);
  expect(
    (await off.post({ query: "{ __schema { types { name } } }" })).body.errors?.[0]?.extensions
      .code,
  ).toBe("GRAPHQL_VALIDATION_FAILED");
  await off.close();
});

test("Without a browser this run says that no page was opened in one.", async ({ annotate }) => {
  if (!hasBrowser)
    await annotate(
      "No Chromium was found: GraphiQL was not opened in a browser. Install chromium or set " +
        "CHROMIUM_PATH.",
      "warning",
    );
});

describe.runIf(hasBrowser)("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  async function run(query: string, expected: string): Promise<void> {
    const page = await browser.newPage();
    const problems = watchProblems(page);
    await page.goto(`${souk.url}/graphiql?query=${encodeURIComponent(query)}`);
    await page.getByRole("button", { name: /execute query/i }).click();
    await page.locator(".graphiql-response, .result-window").getByText(expected).first().waitFor();
    expect(problems).toEqual([]);
    await page.close();
  }

  test("GraphiQL runs a query.", () => run("{ hello }", "Hello world"));
  test("GraphiQL receives an event of a subscription.", () =>
    run("subscription { endless }", "endless"));
});
