/**
 * What each id of the schema names, and whether it may be anybody's. `ownership.test.ts` finds
 * every place that takes an id and wants one row for each here; rows of things that are somebody's
 * are tried against a running shop.
 *
 * To add a row for a new field, argument, input field or type with a global id (the failing test
 * prints its name):
 *
 * - Everybody may name it (a product): `open("why")`.
 * - It is somebody's (an order, a session): `owned({ operation, theirs, missing })`. The operation
 *   takes the variable `$id` (or others: then `theirs` and `missing` answer an object of variables)
 *   and selects as much as it can. `theirs` makes the thing as `shop.owner` and answers its id;
 *   `missing` answers an id of the same form behind which there is nothing. The test then sends
 *   both as somebody else, as a guest and as nobody, and wants the same answer to both; and as the
 *   owner, who must be answered otherwise, or the row shows nothing.
 * - Only admins may: `adminOnly({ operation, theirs, missing })`, the same with an admin in the
 *   owner's place.
 *
 * Operations may be queries, mutations or subscriptions. Every row gets an owner of its own, so it
 * may end what it makes.
 */

import { BEGINNING, encodeLogCursor } from "../../src/domain/events/log.js";
import { encodeId } from "../../src/domain/ids.js";
import { notificationLog } from "../../src/domain/notification.js";
import type { SignedIn } from "../support/accounts.js";
import type { Answer } from "../support/graphql.js";

/** The shop that a row is tried in. */
export interface Shop {
  readonly url: string;
  /** Somebody who has just signed up, whose things the others try to reach. */
  readonly owner: SignedIn;
  /** The token of somebody with the role ADMIN's rights. */
  readonly adminToken: string;
  /** Sends an operation as the owner. */
  asOwner(query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Sends an operation as an admin. */
  asAdmin(query: string, variables?: Record<string, unknown>): Promise<Answer>;
}

type Variables = Readonly<Record<string, unknown>>;
type Naming = (shop: Shop) => string | Variables | Promise<string | Variables>;

/** How something that is somebody's is reached for. */
export interface Attempt {
  readonly operation: string;
  readonly theirs: Naming;
  readonly missing: Naming;
}

/** One row. */
export type Row =
  | { readonly kind: "open"; readonly why: string }
  | (Attempt & { readonly kind: "owned" | "admin" });

const open = (why: string): Row => ({ kind: "open", why });
const owned = (attempt: Attempt): Row => ({ kind: "owned", ...attempt });
const adminOnly = (attempt: Attempt): Row => ({ kind: "admin", ...attempt });

const CATALOGUE = "the catalogue is public";
const CURSOR = "a position in a public list, checked against that list";
const ADMINS_CHANGE = "names a public thing; who is no admin is refused before it is looked at";
const COUNTED =
  "each user's are their own, guests share theirs; a repeated one answers public counters " +
  "and nothing else";
const OPERATION = "names nothing but a change of the caller's own";

const BOARDS = "boards are public, whoever is on them";

/** A board of the row's own. */
async function boardOf({ owner, asAdmin }: Shop): Promise<string> {
  const slug = `of-${owner.email.slice(0, 36)}`;
  await asAdmin(
    'mutation ($slug: String!) { createLeaderboard(input: { slug: $slug, title: "Board" }) { ' +
      "errors { code } } }",
    { slug },
  );
  return slug;
}

/** In stock, in every seed. */
const SOLD = encodeId("Product", 3);
const NOBODY = encodeId("User", 999_999_999);
const A_SESSION = "A".repeat(43);

/** Has the form of a cursor, of the log of a user that never was. */
const A_CURSOR = encodeLogCursor(notificationLog(999_999_999), { ...BEGINNING, sequence: 1 });

/** Sends the owner a notification: its id, and its cursor in their log. */
async function notified({
  owner,
  asAdmin,
  asOwner,
}: Shop): Promise<{ id: string; cursor: string }> {
  const send =
    'mutation ($id: ID!) { sendNotification(input: { userIds: [$id], kind: "test", title: ' +
    '"Hello", body: "" }) { recipients } }';
  await asAdmin(send, { id: owner.id });
  const { data } = await asOwner(
    "{ viewer { notifications(first: 1) { edges { cursor node { id } } } } }",
  );
  const [edge] = data.viewer!.notifications!.edges as unknown as [
    { cursor: string; node: { id: string } },
  ];
  return { id: edge.node.id, cursor: edge.cursor };
}

/** The rows, by place. */
export const OWNERSHIP: Readonly<Record<string, Row>> = {
  "Query.node(id)": open("of any type: see the rows node(…)"),
  "Query.nodes(ids)": open("of any types: see the rows nodes(…)"),
  "node(Product)": open(CATALOGUE),
  "nodes(Product)": open(CATALOGUE),
  "node(Category)": open(CATALOGUE),
  "nodes(Category)": open(CATALOGUE),
  "node(Brand)": open(CATALOGUE),
  "nodes(Brand)": open(CATALOGUE),
  "node(Review)": open(
    "reviews are shown to everybody, with the name of their author and nothing else of them",
  ),
  "nodes(Review)": open(
    "reviews are shown to everybody, with the name of their author and nothing else of them",
  ),
  "node(User)": owned({
    operation:
      "query ($id: ID!) { node(id: $id) { __typename id ... on User { name role createdAt } } }",
    theirs: ({ owner }) => owner.id,
    missing: () => NOBODY,
  }),
  "nodes(User)": owned({
    operation:
      "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on User { name role " +
      "createdAt } } }",
    theirs: ({ owner }) => ({ ids: [owner.id, NOBODY] }),
    missing: () => ({ ids: [NOBODY, NOBODY] }),
  }),

  "node(Notification)": owned({
    operation:
      "query ($id: ID!) { node(id: $id) { __typename id ... on Notification { kind title " +
      "body url createdAt readAt } } }",
    theirs: async (shop) => (await notified(shop)).id,
    missing: () => encodeId("Notification", 999_999_999),
  }),
  "nodes(Notification)": owned({
    operation:
      "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Notification { title " +
      "readAt } } }",
    theirs: async (shop) => ({
      ids: [(await notified(shop)).id, encodeId("Notification", 999_999_999)],
    }),
    missing: () => ({
      ids: [encodeId("Notification", 999_999_998), encodeId("Notification", 999_999_999)],
    }),
  }),
  "Viewer.notifications(after)": owned({
    operation:
      "query ($id: String!) { viewer { notifications(after: $id) { totalCount edges { cursor " +
      "node { id title } } } } }",
    theirs: async (shop) => (await notified(shop)).cursor,
    missing: () => A_CURSOR,
  }),
  "Subscription.notificationReceived(after)": owned({
    operation: `subscription ($id: String!) { notificationReceived(after: $id) { __typename
      ... on NotificationDelivered { cursor notification { id title } }
      ... on StreamGap { reason resumeFrom } } }`,
    theirs: async (shop) => {
      const { cursor } = await notified(shop);
      await notified(shop);
      return cursor;
    },
    missing: () => A_CURSOR,
  }),
  "Mutation.markNotificationsRead(ids)": owned({
    operation:
      "mutation ($ids: [ID!]!) { markNotificationsRead(ids: $ids) { marked unreadCount " +
      "errors { code message field } } }",
    theirs: async (shop) => ({ ids: [(await notified(shop)).id] }),
    missing: () => ({ ids: [encodeId("Notification", 999_999_999)] }),
  }),
  "Mutation.markNotificationsRead(upTo)": owned({
    operation:
      "mutation ($id: String!) { markNotificationsRead(upTo: $id) { marked unreadCount " +
      "errors { code message field } } }",
    theirs: async (shop) => (await notified(shop)).cursor,
    missing: () => A_CURSOR,
  }),
  "Mutation.sendNotification(input.userIds)": adminOnly({
    operation: `mutation ($id: ID!) {
      sendNotification(input: { userIds: [$id], kind: "test", title: "Hello", body: "" }) {
        recipients errors { code message field } } }`,
    theirs: ({ owner }) => owner.id,
    missing: () => NOBODY,
  }),
  "Mutation.sendNotification(input.operationId)": open(OPERATION),

  "Query.product(id)": open(CATALOGUE),
  "Query.category(id)": open(CATALOGUE),
  "Query.products(filter.brandId)": open(CATALOGUE),
  "Query.products(filter.categoryId)": open(CATALOGUE),
  "Query.products(after)": open(CURSOR),
  "Query.brands(after)": open(CURSOR),
  "Category.products(after)": open(CURSOR),
  "Product.reviews(after)": open(CURSOR),
  "Subscription.productChanged(ids)": open(CATALOGUE),
  "Subscription.productStatsChanged(productId)": open(CATALOGUE),

  "Mutation.upsertProduct(input.brandId)": open(ADMINS_CHANGE),
  "Mutation.upsertProduct(input.categoryId)": open(ADMINS_CHANGE),
  "Mutation.adjustStock(id)": open(ADMINS_CHANGE),
  "Mutation.adjustStock(operationId)": open(OPERATION),
  "Mutation.removeProduct(id)": open(ADMINS_CHANGE),
  "Mutation.addReview(input.productId)": open(CATALOGUE),

  "Mutation.trackView(productId)": open(CATALOGUE),
  "Mutation.trackView(operationId)": open(COUNTED),
  "Mutation.share(productId)": open(CATALOGUE),
  "Mutation.share(operationId)": open(COUNTED),
  "Mutation.like(productId)": open(CATALOGUE),
  "Mutation.unlike(productId)": open(CATALOGUE),

  "Mutation.addToCart(productId)": open(CATALOGUE),
  "Mutation.setCartLine(productId)": open(CATALOGUE),
  "Mutation.addToCart(operationId)": owned({
    operation:
      `mutation ($id: ID!) { addToCart(productId: "${SOLD}", quantity: 2, operationId: $id) { ` +
      "errors { code message field } } }",
    theirs: async ({ owner, asOwner }) => {
      await asOwner(
        `mutation ($id: ID!) { addToCart(productId: "${SOLD}", operationId: $id) { errors { ` +
          "code } } }",
        { id: owner.id },
      );
      return owner.id;
    },
    missing: () => "an operation of nobody",
  }),

  "node(Leaderboard)": open(BOARDS),
  "nodes(Leaderboard)": open(BOARDS),
  "Query.leaderboards(after)": open(CURSOR),
  "Leaderboard.entries(after)": open(CURSOR),
  "Leaderboard.entry(owner)": open(BOARDS),
  "Leaderboard.around(owner)": open(BOARDS),
  "Mutation.submitScore(input.operationId)": open(
    "an id counts for the caller's own scores, and for each board apart",
  ),
  "Mutation.submitScore(input.owner)": owned({
    operation:
      "mutation ($slug: String!, $id: ID!) { submitScore(input: { slug: $slug, owner: $id, " +
      "score: 1 }) { changes { rank } errors { code message field } } }",
    theirs: async (shop) => ({ slug: await boardOf(shop), id: shop.owner.id }),
    missing: async (shop) => ({ slug: await boardOf(shop), id: NOBODY }),
  }),

  "Mutation.revokeSession(id)": owned({
    operation:
      "mutation ($id: ID!) { revokeSession(id: $id) { revoked errors { code message field } } }",
    theirs: async ({ asOwner }) => {
      const { data } = await asOwner("{ viewer { sessions { id } } }");
      return String(data.viewer!.sessions![0]!.id);
    },
    missing: () => A_SESSION,
  }),
  "Mutation.revokeAllSessions(input.userId)": adminOnly({
    operation:
      "mutation ($id: ID!) { revokeAllSessions(input: { userId: $id }) { revoked errors { " +
      "code message field } } }",
    theirs: ({ owner }) => owner.id,
    missing: () => NOBODY,
  }),
};
