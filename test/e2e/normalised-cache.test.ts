/**
 * A frontend that keeps what it has read in Apollo Client's normalised cache: every subscription
 * changes what a query shows, and nothing is asked again.
 */
import { ApolloLink, gql, type OperationVariables } from "@apollo/client";
import type { DocumentNode } from "graphql";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { InboxDocument, ProductStatsDocument } from "../../examples/client/generated/operations.js";
import { keepInbox, SHOWN } from "../../examples/client/inbox-cache.js";
import { createShop } from "../../examples/client/shop-client.js";
import { encodeId } from "../../src/domain/ids.js";
import { type SignedIn, signUp } from "../support/accounts.js";
import { ADMIN_TOKEN, type RunningApp, startApp } from "../support/app.js";
import { type Data, post } from "../support/graphql.js";
import { markRead, send } from "../support/notifications.js";
import { until } from "../support/until.js";

let app: RunningApp;
let user: SignedIn;
beforeAll(async () => {
  app = await startApp({ products: 20, env: { CONFLATION_MS: "1" } });
  user = await signUp(app.url);
});
afterAll(() => app?.close());

/** Apollo Client says here where it loses something or cannot match types. */
let complaints: unknown[][];
beforeEach(() => {
  complaints = [];
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((...words) => void complaints.push(words));
});
afterEach(() => expect(complaints).toEqual([]));

const PRODUCT = encodeId("Product", 1);

/** Another client writes, past the cache of the one that shows. */
async function write(query: string, variables: object = {}, token = ADMIN_TOKEN): Promise<void> {
  const { data, errors } = await post(app.url, query, { ...variables }, { token });
  expect(errors).toBeUndefined();
  expect(Object.values(data as object)).toEqual([expect.objectContaining({ errors: [] })]);
}

/** A frontend of the user. It counts the queries that leave it. */
function openFrontend() {
  const shop = createShop({ url: app.url, token: user.token });
  onTestFinished(() => shop.close());
  const { apollo } = shop;
  let queries = 0;
  const counting = new ApolloLink((operation, forward) => {
    if (operation.operationType === "query") queries += 1;
    return forward(operation);
  });
  apollo.setLink(counting.concat(apollo.link));
  return {
    apollo,
    queries: () => queries,
    /** Shows a query; the returned function answers what it shows now. */
    async show(query: DocumentNode, variables: OperationVariables): Promise<() => Data> {
      const showing = apollo.watchQuery({ query, variables });
      const following = showing.subscribe(() => {});
      onTestFinished(() => following.unsubscribe());
      const shown = () => showing.getCurrentResult().data as Data;
      await until("the answer to be shown", () => shown());
      return shown;
    },
    /** Follows a snapshot, from its first value on. */
    async follow(query: DocumentNode, variables: OperationVariables): Promise<void> {
      const events: unknown[] = [];
      const following = apollo.subscribe({ query, variables }).subscribe({
        next: ({ data, error }) => events.push(error ?? data),
        error: (error) => events.push(error),
      });
      onTestFinished(() => following.unsubscribe());
      await until("the first value", () => events.length > 0);
      expect(events[0]).not.toBeInstanceOf(Error);
    },
  };
}

it("An event of productChanged changes the product that a query shows.", async () => {
  const page = openFrontend();
  const variables = { id: PRODUCT };
  const shown = await page.show(
    gql`query ($id: ID!) { product(id: $id) { id name stock } }`,
    variables,
  );
  const { name, stock } = shown().product!;
  await page.follow(
    gql`subscription ($id: ID!) { productChanged(ids: [$id]) { id product { id stock } } }`,
    variables,
  );
  await write("mutation ($id: ID!) { adjustStock(id: $id, by: 3) { errors { code } } }", variables);
  await until("the new stock", () => Number(shown().product?.stock) === Number(stock) + 3);
  expect(shown().product!.name).toBe(name);
  expect(page.queries()).toBe(1);
});

it.each([
  ["under the product", "product { id stats { id shares } }"],
  ["beside it", "stats { id shares }"],
])("An event of productStatsChanged changes counters that a query shows: %s.", async (_, part) => {
  const page = openFrontend();
  const shown = await page.show(ProductStatsDocument, { id: PRODUCT });
  const { shares, daily, views } = shown().product!.stats!;
  await page.follow(
    gql(`subscription ($id: ID!) { productStatsChanged(productId: $id) { id ${part} } }`),
    { id: PRODUCT },
  );
  await write("mutation ($id: ID!) { share(productId: $id) { errors { code } } }", { id: PRODUCT });
  await until("the new count", () => Number(shown().product?.stats?.shares) === Number(shares) + 1);
  // What the event does not select stays.
  expect(shown().product!.stats).toMatchObject({ daily, views });
  expect(page.queries()).toBe(1);
});

it("An event of cartChanged changes the cart that a query shows.", async () => {
  const page = openFrontend();
  const cart = "{ id quantity lines { quantity product { id name } } subtotal { amount } }";
  const shown = await page.show(gql(`{ cart ${cart} }`), {});
  await page.follow(gql(`subscription { cartChanged ${cart} }`), {});
  const add =
    "mutation ($id: ID!, $n: Int!) { setCartLine(productId: $id, quantity: $n) { errors { code } } }";
  for (const [key, quantity] of [
    [2, 1],
    [3, 2],
    [2, 0],
  ] as const)
    await write(add, { id: encodeId("Product", key), n: quantity }, user.token);
  await until("the line that is left", () => Number(shown().cart?.quantity) === 2);
  expect(shown().cart!.lines!.map(({ product }) => product!.id)).toEqual([encodeId("Product", 3)]);
  expect(page.queries()).toBe(1);
});

it("An event of leaderboardChanged changes the list and total that a query shows.", async () => {
  await write(
    'mutation { createLeaderboard(input: { slug: "merged", title: "M" }) { errors { code } } }',
  );
  const submit =
    'mutation ($owner: ID!, $score: Float!) { submitScore(input: { slug: "merged", owner: $owner, score: $score }) { errors { code } } }';
  await write(submit, { owner: "a", score: 1 });
  const page = openFrontend();
  const board =
    "{ id total(period: DAY) entries(first: 2, period: DAY) { edges { cursor node { rank score owner label } } pageInfo { hasNextPage } } }";
  const shown = await page.show(gql(`{ leaderboard(slug: "merged") ${board} }`), {});
  const ownersOf = () =>
    shown().leaderboard?.entries?.edges?.map(({ node }) => String(node!.owner));
  expect(ownersOf()).toEqual(["a"]);
  await page.follow(
    gql(
      `subscription { leaderboardChanged(slug: "merged", period: DAY, top: 2) { version leaderboard ${board} } }`,
    ),
    {},
  );
  for (const [owner, score] of [
    ["b", 3],
    ["c", 2],
  ] as const)
    await write(submit, { owner, score });
  await until("the new top", () => Number(shown().leaderboard?.total) === 3);
  expect(ownersOf()).toEqual(["b", "c"]);
  expect(shown().leaderboard!.entries!.pageInfo).toMatchObject({ hasNextPage: true });
  expect(page.queries()).toBe(1);
});

it("An event of notificationReceived changes the unread count that a query shows.", async () => {
  const page = openFrontend();
  const shown = await page.show(gql`{ viewer { id inbox { id unreadCount } } }`, {});
  const unread = () => Number(shown().viewer?.inbox?.unreadCount);
  const before = unread();
  const inbox = "{ inbox { id unreadCount } }";
  await send(app.url, { userIds: [user.id], title: "First" });
  await page.follow(
    gql(`subscription { notificationReceived(after: "") {
      ... on NotificationDelivered ${inbox} ... on NotificationsRead ${inbox} } }`),
    {},
  );
  await until("the one that came before", () => unread() === before + 1);
  await send(app.url, { userIds: [user.id], title: "Second" });
  await until("the one that came after", () => unread() === before + 2);
  expect(page.queries()).toBe(1);
});

it("The example keeps the inbox that a query shows, whatever is sent and read.", async () => {
  const page = openFrontend();
  const failures: Error[] = [];
  const shown = await page.show(InboxDocument, SHOWN);
  onTestFinished(await keepInbox(page, (error) => failures.push(error)));
  const edges = () =>
    shown().viewer!.notifications!.edges!.map(({ cursor, node }) => ({
      cursor: String(cursor),
      id: String(node!.id),
      title: String(node!.title),
      isRead: node!.readAt !== null,
    }));
  const count = () => Number(shown().viewer?.inbox?.unreadCount);
  const totalBefore = Number(shown().viewer!.notifications!.totalCount);
  for (const title of ["A", "B", "C"]) await send(app.url, { userIds: [user.id], title });
  await until("all three", () => edges()[0]?.title === "C");
  expect(
    edges()
      .slice(0, 3)
      .map(({ title }) => title),
  ).toEqual(["C", "B", "A"]);
  expect(shown().viewer!.notifications!.totalCount).toBe(totalBefore + 3);

  const [c, b] = edges();
  await markRead(app.url, user.token, { ids: [c!.id] });
  await until("the newest to be read", () => edges()[0]?.isRead);
  expect(edges()[1]!.isRead).toBe(false);
  await markRead(app.url, user.token, { upTo: b!.cursor });
  await until("all to be read", () => edges().every(({ isRead }) => isRead));
  expect(count()).toBe(0);
  expect([page.queries(), failures]).toEqual([1, []]);
});
