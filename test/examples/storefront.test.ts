/** The example storefront: built as people build it, and used in a real browser. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { hasBrowser, keepPicture, launchBrowser } from "../support/browser.js";
import { runTool, type Storefront, startStorefront } from "./storefront.fixture.js";
import {
  boardOf,
  cartOf,
  fill,
  makeBoard,
  notify,
  openProfile,
  openTab,
  press,
  restock,
  type ShopProduct,
  shown,
  signUpIn,
  stockedProducts,
} from "./storefront-pages.js";

test("The storefront's types are right by its own strict compiler.", async () => {
  expect(await runTool("typescript/bin/tsc", [])).toBe("");
});

test("Without a browser this run says that the storefront was not used.", async ({ annotate }) => {
  if (!hasBrowser)
    await annotate("No Chromium was found: the storefront was not opened in one.", "warning");
});

describe.runIf(hasBrowser)("the storefront in Chromium, from another origin", () => {
  let shop: Storefront;
  let browser: Browser;
  /** Each test takes one. */
  let products: ShopProduct[];
  beforeAll(async () => {
    shop = await startStorefront();
    browser = await launchBrowser();
    products = await stockedProducts(shop, 10);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
  });

  const takeProduct = (): ShopProduct => products.pop()!;
  const openAlone = async (url: string): Promise<Page> => openTab(await openProfile(browser), url);

  test("The server of development gives the page, and neither React nor Apollo warns.", async () => {
    const page = await (await openProfile(browser)).newPage();
    const warnings: string[] = [];
    page.on("console", (message) => {
      if (["warning", "error"].includes(message.type())) warnings.push(message.text());
    });
    const url = await shop.startDev();
    await page.goto(url);
    await shown(page, "30 products");
    await press(page, "Show more");
    await page.getByRole("main").getByRole("listitem").nth(23).waitFor();
    await shown(cartOf(page), "Your cart is empty.");
    await boardOf(page).getByRole("table").waitFor();
    await signUpIn(page, shop);
    await page.goto(`${url}#/product/${takeProduct().id}`);
    await press(page, "Add to cart");
    await shown(cartOf(page), "1 piece");
    await press(page, "Sign out");
    await shown(cartOf(page), "Your cart is empty.");
    expect(warnings).toEqual([]);
  });

  test("Search finds a product, whose page shows each change of its stock.", async () => {
    const product = takeProduct();
    const page = await openAlone(shop.page);
    await page.getByRole("searchbox", { name: "Search" }).fill(product.name);
    await page.keyboard.press("Enter");
    await page.getByRole("main").getByRole("link", { name: product.name }).first().waitFor();
    await shown(page.getByRole("main"), `${await restock(shop, product, 500)} in stock`);
    await page.getByRole("main").getByRole("link", { name: product.name }).first().click();
    await page.getByRole("heading", { name: product.name, level: 1 }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
    for (const by of [1, 5])
      await shown(page.getByRole("main"), `${await restock(shop, product, by)} in stock`);
    expect(await page.title()).toBe(`${product.name} · Souk`);
    await shop.asService("mutation($id: ID!) { removeProduct(id: $id) { errors { code } } }", {
      id: product.id,
    });
    await page.getByRole("heading", { name: "Not for sale" }).waitFor();
  });

  test("What a guest puts into the cart in one tab is in the other one.", async () => {
    const product = takeProduct();
    const profile = await openProfile(browser);
    const tabs = [await openTab(profile, product.page), await openTab(profile, shop.page)] as const;
    const bothShow = async (text: string) => {
      for (const tab of tabs) await shown(cartOf(tab), text);
    };
    await bothShow("Your cart is empty.");
    await press(tabs[0], "Add to cart");
    await bothShow("1 piece");
    await press(tabs[0], "Add to cart");
    await bothShow("2 pieces");
    await press(tabs[1], `One less of ${product.name}`);
    await bothShow("1 piece");
    await press(tabs[0], `One less of ${product.name}`);
    await bothShow("Your cart is empty.");
  });

  test("An account is made, left and entered again in all tabs, and keeps its cart.", async () => {
    const product = takeProduct();
    const profile = await openProfile(browser);
    const [page, other] = [
      await openTab(profile, product.page),
      await openTab(profile, shop.page),
    ] as const;
    await press(page, "Add to cart");
    await shown(cartOf(page), "1 piece");
    const { email, password } = await signUpIn(page, shop);
    await shown(other, "Tess Tester");
    for (const tab of [page, other]) await shown(cartOf(tab), "1 piece");
    await press(other, "Sign out");
    for (const tab of [page, other]) {
      await shown(cartOf(tab), "Your cart is empty.");
      await shown(tab, "You are signed out.");
    }
    await page.bringToFront();
    await page.getByRole("link", { name: "Sign in" }).click();
    await fill(page, { "E-mail": email, Password: password });
    await press(page, "Sign in");
    for (const tab of [page, other]) await shown(cartOf(tab), "1 piece");
    // Both sockets watch the cart of the account by now.
    await page.goto(product.page);
    await press(page, "Add to cart");
    for (const tab of [page, other]) await shown(cartOf(tab), "2 pieces");
  });

  test("A board shows a score as soon as the service has submitted it.", async () => {
    const submit = await makeBoard(shop, "Best testers");
    const page = await openAlone(shop.page);
    await page.getByLabel("Board", { exact: true }).selectOption("Best testers");
    await shown(boardOf(page), "There is no score yet.");
    for (const score of [41, 42]) {
      await submit("ada", score);
      await boardOf(page)
        .getByRole("cell", { name: String(score), exact: true })
        .waitFor();
    }
    await shown(boardOf(page), "ada leads with 42.");
  });

  test("Notifications come once each, also those that were sent while it was cut off.", async () => {
    const page = await openAlone(shop.page);
    const { id } = await signUpIn(page, shop);
    await page.getByRole("link", { name: "Notifications" }).click();
    await shown(page, "There are none.");
    await notify(shop, id, "before the cut");
    await shown(page.getByRole("listitem"), "before the cut");
    onTestFinished(() => shop.network.restore());
    await shop.network.cut();
    await shown(page, "Live values are paused");
    await notify(shop, id, "during the cut");
    await shop.network.restore();
    await shown(page.getByRole("listitem"), "during the cut");
    await notify(shop, id, "after the cut");
    await shown(page.getByRole("listitem"), "after the cut");
    const titles = await page.getByRole("main").getByRole("strong").allTextContents();
    expect(titles).toEqual(["after the cut", "during the cut", "before the cut"]);
    await shown(page, "Notifications (3)");
    await press(page, "Mark all as read");
    await page.getByRole("link", { name: "Notifications", exact: true }).waitFor();
    await page.getByText("unread").waitFor({ state: "detached" });
  });

  test("A product page shows the board beside it.", async () => {
    const submit = await makeBoard(shop, "Best reviewers");
    for (const [at, owner] of ["Ada", "Grace", "Alan", "Edsger"].entries())
      await submit(owner, 42 - 7 * at);
    const page = await openAlone(takeProduct().page);
    await page.setViewportSize({ width: 1_100, height: 680 });
    await signUpIn(page, shop);
    await page.goto(takeProduct().page);
    await page.getByLabel("Board", { exact: true }).selectOption("Best reviewers");
    await press(page, "Add to cart");
    await shown(cartOf(page), "1 piece");
    await shown(boardOf(page), "leads with");
    await keepPicture(page, "storefront");
  });
});
