/** The first page of development, and its operations in GraphiQL. */

import { readFileSync } from "node:fs";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { buildSchema, getOperationAST, parse, validate } from "graphql";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEMO_OPERATIONS } from "../../src/server/explorer/operations.js";
import { ADMIN_TOKEN, type RunningApp, startApp } from "../support/app.js";
import { hasBrowser, keepPicture, launchBrowser, watchProblems } from "../support/browser.js";
import { until } from "../support/until.js";

const SECRETS = {
  adminToken: ADMIN_TOKEN,
  logins: { emails: ["ada@souk.example"], password: "the demo password" },
};
const SCHEMA = new URL("../../src/schema/schema.graphql", import.meta.url);

let app: RunningApp;
let home: string;
beforeAll(async () => {
  app = await startApp({ products: 5, demo: SECRETS });
  home = app.url.replace(/graphql$/, "");
});
afterAll(() => app.close());

/** What a client gets that is no browser. */
async function get(path: string, headers: Record<string, string> = {}) {
  const url = new URL(path, home);
  const asking = request(url, { headers: { "sec-fetch-site": "none", ...headers } }).end();
  const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) =>
    asking.once("response", resolve).once("error", reject),
  );
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

it.each(DEMO_OPERATIONS)("The operation $name has that name and fits the schema.", (one) => {
  const document = parse(one.query);
  expect(getOperationAST(document)?.name?.value).toBe(one.name);
  expect(validate(buildSchema(readFileSync(SCHEMA, "utf8")), document)).toEqual([]);
});

describe("its secrets", () => {
  it("A browser on this machine is shown the logins and the token.", async () => {
    const { body } = await get("/");
    expect(body).toContain(ADMIN_TOKEN);
    expect(body).toContain("the demo password");
    expect((await get("/graphiql")).body).toContain(ADMIN_TOKEN);
  });

  it.each([{ host: "attacker.example" }, { origin: "http://localhost:5173" }])(
    "A request with %j is shown none of them.",
    async (headers) => {
      for (const path of ["/", "/graphiql"]) {
        const { status, body } = await get(path, headers);
        expect(status).toBe(200);
        expect(body).not.toContain(ADMIN_TOKEN);
        expect(body).not.toContain("the demo password");
      }
    },
  );

  it("No cache keeps the page, and its scripts are files of ours.", async () => {
    const { headers } = await get("/");
    expect(headers["cache-control"]).toBe("no-store");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe|https/);
  });
});

it.each([
  "/explorer/other.js",
  "/explorer/start.html",
  "/explorer/..%2fstart-page.js",
  "/explorer/graphql-ws/index.js",
  "/explorer/",
])("There is nothing at %s.", async (path) => expect((await get(path)).status).toBe(404));

it.each([{ EXPLORER: "off" }, { NODE_ENV: "production", EXPLORER: "graphiql" }])(
  "There is no first page with %j.",
  async (env) => {
    const other = await startApp({ products: 0, env, database: app.database, demo: SECRETS });
    const url = other.url.replace(/graphql$/, "");
    for (const path of [""]) expect((await fetch(`${url}${path}`)).status).toBe(404);
    await other.close();
  },
);

describe.runIf(hasBrowser)("in Chromium", () => {
  let browser: Browser;
  let profile: BrowserContext;
  const problems: string[][] = [];
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    profile = await browser.newContext({ viewport: { width: 1_180, height: 900 } });
    profile.on("page", (page) => problems.push(watchProblems(page)));
  });
  afterEach(async () => {
    await profile.close();
    expect(problems.splice(0).flat()).toEqual([]);
  });

  async function openFirstPage(): Promise<Page> {
    const page = await profile.newPage();
    await page.goto(home);
    await page.getByRole("status").getByText("Live.").waitFor();
    return page;
  }
  const value = (page: Page, name: string): Promise<string | null> =>
    page.locator("dl div").filter({ hasText: name }).locator("dd").textContent();
  const becomes = (page: Page, name: string, expected: string): Promise<void> =>
    page.locator("dl div").filter({ hasText: name }).getByText(expected, { exact: true }).waitFor();
  const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
  /** A click is repeated: GraphiQL reads the name of an operation a moment after its text. */
  const execute = (page: Page, shown: string): Promise<boolean> =>
    until(`an answer with ${shown}`, async () => {
      const button = page.getByRole("button", { name: /execute query/i });
      if (await button.isVisible()) await button.click();
      return page.locator(".result-window").getByText(shown).first().isVisible();
    });
  /** A click before the editor is ready has no effect; its text follows the tab. */
  const openTab = (page: Page, name: string, kind: string): Promise<boolean> =>
    until(`the tab ${name}`, async () => {
      await page.locator(".graphiql-tab-button").getByText(name).click();
      return (await page.locator(".graphiql-query-editor").innerText()).includes(kind);
    });
  const tabsOf = (page: Page) => page.locator(".graphiql-tab").allInnerTexts();

  it("Each button changes both windows, and its answer is shown.", async () => {
    const first = await openFirstPage();
    const second = await openFirstPage();
    await first.locator("dl").getByText("no score yet").waitFor();
    for (const name of ["Stock", "Views"])
      await until(`a number as ${name}`, async () =>
        /^\d+$/.test((await value(first, name)) ?? ""),
      );
    const before = {
      stock: Number(await value(first, "Stock")),
      views: await value(first, "Views"),
    };

    await press(first, "Restock");
    for (const page of [first, second]) await becomes(page, "Stock", `${before.stock + 5}`);
    await press(second, "View");
    for (const page of [first, second]) await becomes(page, "Views", `${Number(before.views) + 1}`);
    await press(first, "Submit a score");
    for (const page of [first, second]) await becomes(page, "Place", "1 of 1, with 1");
    expect(await first.locator("#answer").textContent()).toContain('"submitScore"');

    await press(first, "Add to cart");
    await becomes(first, "In your cart", "1");
    await becomes(second, "In your cart", "1");
    await press(second, "Add to cart");
    await becomes(first, "In your cart", "2");

    await first.getByText("worker: ok").waitFor();
    await keepPicture(first, "first-page");
  });

  it("An operation of the page opens in GraphiQL, with the token, and runs.", async () => {
    const page = await openFirstPage();
    const opened = profile.waitForEvent("page");
    await page.getByRole("listitem").filter({ hasText: "Restock" }).getByRole("link").click();
    const editor = await opened;
    await execute(editor, "adjustStock");
    await editor.reload();
    await editor.getByRole("button", { name: /execute query/i }).waitFor();
    expect(await tabsOf(editor)).toEqual(["Restock", "Storefront", "Watch"]);
  });

  it.each([
    ["Storefront", "query", "totalCount"],
    ["Watch", "subscription", "productChanged"],
    ["Restock", "mutation", "adjustStock"],
  ])("The tab %s of GraphiQL runs as it stands.", async (tab, kind, shown) => {
    const editor = await profile.newPage();
    const refused: number[] = [];
    editor.on("response", (one) => one.status() >= 400 && refused.push(one.status()));
    await editor.goto(`${home}graphiql`);
    await openTab(editor, tab, kind);
    await execute(editor, shown);
    expect(refused).toEqual([]);
  });

  it("A stored tab of an earlier data folder gets the present token.", async () => {
    const editor = await profile.newPage();
    await editor.goto(`${home}graphiql?operation=Restock`);
    await editor.getByRole("button", { name: /execute query/i }).waitFor();
    await editor.waitForFunction(() => localStorage.getItem("graphiql:tabState") !== null);
    await editor.evaluate((token) => {
      for (const key of Object.keys(localStorage))
        localStorage.setItem(key, String(localStorage.getItem(key)).replaceAll(token, "gone"));
    }, ADMIN_TOKEN);
    await editor.goto("about:blank");
    await editor.goto(`${home}graphiql`);
    await execute(editor, "adjustStock");
  });

  it("Without a token of ours the admin's buttons wait for one.", async () => {
    const other = await startApp({ products: 5 });
    const page = await profile.newPage();
    await page.goto(other.url.replace(/graphql$/, ""));
    const restock = page.getByRole("button", { name: "Restock" });
    expect(await restock.isDisabled()).toBe(true);
    await page.getByLabel(/Admin token/).fill(ADMIN_TOKEN);
    await press(page, "Use it");
    await page.locator("dl").getByText("no score yet").waitFor();
    await restock.click();
    await page.locator("#answer").getByText("adjustStock").waitFor();
    await page.close();
    await other.close();
  });
});
