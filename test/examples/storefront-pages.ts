/** What people do in the storefront, and what the shop's own people do meanwhile. */
import { randomUUID } from "node:crypto";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { post } from "../support/graphql.js";
import { scaled } from "../support/pace.js";
import type { Storefront } from "./storefront.fixture.js";

/** A browser profile of its own, whose pages must throw nothing. */
export async function openProfile(browser: Browser): Promise<BrowserContext> {
  const profile = await browser.newContext();
  const thrown: string[] = [];
  profile.setDefaultTimeout(scaled(30_000));
  profile.on("weberror", (event) => thrown.push(String(event.error())));
  onTestFinished(async () => {
    await profile.close();
    expect(thrown).toEqual([]);
  });
  return profile;
}

/** Opens a tab of a profile. */
export async function openTab(profile: BrowserContext, url: string): Promise<Page> {
  const page = await profile.newPage();
  await page.goto(url);
  return page;
}

export const cartOf = (page: Page): Locator => page.getByRole("region", { name: "Cart" });
export const boardOf = (page: Page): Locator => page.getByRole("region", { name: "Live board" });

/** Waits for a text. */
export const shown = (where: Page | Locator, text: string | RegExp): Promise<void> =>
  where.getByText(text).first().waitFor();

/** In front, because the browser draws a page behind another once in a second. */
export async function press(page: Page, name: string): Promise<void> {
  await page.bringToFront();
  await page.getByRole("button", { name, exact: true }).click();
}

/** Fills in a form by the labels of its fields. */
export async function fill(page: Page, values: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(values)) await page.getByLabel(label).fill(value);
}

/** An account that was made in a page. */
export interface PageAccount {
  readonly id: string;
  readonly email: string;
  readonly password: string;
}

/** Signs up in a page. */
export async function signUpIn(page: Page, { app }: Storefront): Promise<PageAccount> {
  const account = { email: `${randomUUID()}@test.example`, password: `secret ${randomUUID()}` };
  await page.getByRole("link", { name: "Sign up" }).click();
  await fill(page, {
    "Name, as others see it": "Tess Tester",
    "E-mail": account.email,
    Password: account.password,
  });
  await press(page, "Sign up");
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  const { data } = await post(
    app.url,
    "mutation($input: SignInInput!) { signIn(input: $input) { viewer { user { id } } } }",
    { input: { ...account, deliver: "TOKEN" } },
  );
  return { ...account, id: String(data.signIn!.viewer!.user!.id) };
}

/** A product of the shop. */
export interface ShopProduct {
  readonly id: string;
  readonly name: string;
  /** Where its page is. */
  readonly page: string;
}

/** The products, each with more pieces than a test takes. */
export async function stockedProducts(shop: Storefront, count: number): Promise<ShopProduct[]> {
  const { edges } = await shop.asService(
    "query($count: Int) { products(first: $count) { edges { node { id name } } } }",
    { count },
  );
  const products = edges!.map(({ node }) => ({ id: String(node!.id), name: String(node!.name) }));
  for (const product of products) await restock(shop, product, 1_000);
  return products.map((product) => ({ ...product, page: `${shop.page}#/product/${product.id}` }));
}

/** Adds to the stock of a product; what it has now. */
export async function restock(
  shop: Storefront,
  { id }: { readonly id: string },
  by = 1,
): Promise<number> {
  const { product } = await shop.asService(
    "mutation($id: ID!, $by: Int!) { adjustStock(id: $id, by: $by) { product { stock } " +
      "errors { code } } }",
    { id, by },
  );
  return Number(product!.stock);
}

/** Sends a notification of this title. */
export async function notify(shop: Storefront, userId: string, title: string): Promise<void> {
  await shop.asService(
    "mutation($input: NotificationInput!) { sendNotification(input: $input) { recipients " +
      "errors { code } } }",
    { input: { kind: "test", title, body: "", userIds: [userId] } },
  );
}

/** Makes a board; what submits scores to it. */
export async function makeBoard(shop: Storefront, title: string) {
  const slug = `board-${randomUUID()}`;
  await shop.asService(
    "mutation($input: LeaderboardInput!) { createLeaderboard(input: $input) { errors { code } } }",
    { input: { slug, title } },
  );
  return (owner: string, score: number) =>
    shop.asService(
      "mutation($input: ScoreInput!) { submitScore(input: $input) { errors { code } } }",
      { input: { slug, owner, score } },
    );
}
