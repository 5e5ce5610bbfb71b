/** The example storefront when something goes wrong: people are shown what, and what to do. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { hasBrowser, launchBrowser } from "../support/browser.js";
import { until } from "../support/until.js";
import { type Storefront, startStorefront } from "./storefront.fixture.js";
import {
  cartOf,
  fill,
  openProfile,
  openTab,
  press,
  restock,
  type ShopProduct,
  shown,
  signUpIn,
  stockedProducts,
} from "./storefront-pages.js";

describe.runIf(hasBrowser)("the storefront's failures in Chromium", () => {
  let shop: Storefront;
  let browser: Browser;
  let products: ShopProduct[];
  beforeAll(async () => {
    shop = await startStorefront();
    browser = await launchBrowser();
    products = await stockedProducts(shop, 4);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
  });

  const openAlone = async (url: string): Promise<Page> => openTab(await openProfile(browser), url);

  test("A user error stands beside its field, which has the focus.", async () => {
    const page = await openAlone(shop.page);
    const { email } = await signUpIn(page, shop);
    await press(page, "Sign out");
    await page.getByRole("link", { name: "Sign up" }).click();
    const password = "a long enough secret";
    await fill(page, { "Name, as others see it": "Tess", "E-mail": email, Password: password });
    await press(page, "Sign up");
    const field = page.getByRole("textbox", { name: "E-mail" });
    await page.locator("input[aria-invalid=true]").waitFor();
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    const note = await field.getAttribute("aria-describedby");
    expect(await page.locator(`[id="${note}"]`).textContent()).toMatch(/account|taken/i);
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
  });

  test("An error of no field stands above the form.", async () => {
    const page = await openAlone(`${shop.page}#/sign-in`);
    await fill(page, { "E-mail": "nobody@test.example", Password: "not the password" });
    await press(page, "Sign in");
    await page.getByRole("alert").waitFor();
    expect(await page.locator("input[aria-invalid=true]").count()).toBe(0);
  });

  test("A limit that is reached says how long to wait.", async () => {
    const page = await openAlone(`${shop.page}#/sign-in`);
    await fill(page, { "E-mail": "guessed@test.example", Password: "a guess" });
    const waits = page.getByRole("alert").getByText(/too much at once\. Try again in (a|\d+) [sm]/);
    await until("a refusal", async () => {
      await press(page, "Sign in");
      await page.getByRole("alert").waitFor();
      return (await waits.count()) > 0;
    });
  });

  test("More than is in stock is refused or warned of in words.", async () => {
    const product = products.pop()!;
    const stock = await restock(shop, product);
    await restock(shop, product, 2 - stock);
    const page = await openAlone(product.page);
    await page.getByLabel("Pieces").fill("5");
    await press(page, "Add to cart");
    await shown(cartOf(page), "2 pieces");
    await shown(page.getByRole("main").getByRole("status"), /It is in your cart\. \S+/);
    await press(page, "Add to cart");
    await page.getByRole("main").getByRole("alert").waitFor();
  });

  const revokeAll = (userId: string) =>
    shop.asService(
      "mutation($input: RevokeAllInput!) { revokeAllSessions(input: $input) { errors { code } } }",
      { input: { userId } },
    );

  test("A session that is revoked leaves a guest, whose page stays live.", async () => {
    const product = products.pop()!;
    const page = await openAlone(product.page);
    const { id } = await signUpIn(page, shop);
    await page.goto(product.page);
    await revokeAll(id);
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await shown(page, "You are signed out.");
    await shown(page.getByRole("main"), `${await restock(shop, product)} in stock`);
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("A session that is revoked before its socket is open leaves a guest, too.", async () => {
    const page = await openAlone(products.pop()!.page);
    const { id } = await signUpIn(page, shop);
    let open = (): void => {};
    const mayOpen = new Promise<void>((resolve) => {
      open = resolve;
    });
    await page.routeWebSocket(/graphql/, async (socket) => {
      await mayOpen;
      socket.connectToServer();
    });
    await page.reload();
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    await revokeAll(id);
    open();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
  });

  test("A shop that cannot be reached is named, and asked again on demand.", async () => {
    const product = products.pop()!;
    const page = await openAlone(shop.page);
    await shown(page, "30 products");
    onTestFinished(() => shop.network.restore());
    await shop.network.cut();
    await shown(page, "Live values are paused");
    await page.goto(product.page);
    const main = page.getByRole("main");
    await shown(main.getByRole("alert"), "The shop cannot be reached.");
    await shop.network.restore();
    await main.getByRole("button", { name: "Try again" }).click();
    await main.getByRole("heading", { name: product.name }).waitFor();
    await shown(main, `${await restock(shop, product)} in stock`);
    await page.getByText("Live values are paused").waitFor({ state: "detached" });
  });

  test("What the shop cannot answer without Redis says so, and the rest is shown.", async () => {
    const page = await openAlone(shop.page);
    await shown(page, "30 products");
    onTestFinished(() => shop.redisNetwork.restore());
    await shop.redisNetwork.cut();
    await page.reload();
    await shown(page, "30 products");
    await shown(cartOf(page).getByRole("alert"), "The shop has trouble");
    await shop.redisNetwork.restore();
    await until("the cart", async () => {
      const again = cartOf(page).getByRole("button", { name: "Try again" });
      if (await again.isEnabled({ timeout: 100 }).catch(() => false)) await again.click();
      return await cartOf(page).getByText("Your cart is empty.").isVisible();
    });
  });
});
