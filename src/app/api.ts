/** The API: services over the floor, resolvers over the services, and the server over both. */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import { createUserTable, type UserTable } from "../db/account/users.js";
import { createBrandTable } from "../db/catalogue/brands.js";
import { createCategoryTable } from "../db/catalogue/categories.js";
import { createProductTable } from "../db/catalogue/products.js";
import { createReviewTable } from "../db/catalogue/reviews.js";
import { createLikeTable } from "../db/counters/likes.js";
import { createNotificationTable } from "../db/notification/inbox.js";
import { createOperationTable } from "../db/operations.js";
import { ensureSecret } from "../db/secrets.js";
import { CATALOGUE_TOPIC } from "../domain/events/events.js";
import { Reading } from "../domain/reading.js";
import { createLoaders, type LoaderSources } from "../loaders/loaders.js";
import { CART_DEADLINE_MS, createCartStore } from "../redis/cart/cart.js";
import { readRedisInfo } from "../redis/client/info.js";
import { createRequestContext } from "../resolvers/context.js";
import { createEvents } from "../resolvers/events.js";
import { boardsExist } from "../resolvers/leaderboard/changed.js";
import { createContainer, resolverClasses } from "../resolvers/resolvers.js";
import { buildSoukSchema } from "../schema/build-schema.js";
import { checkListSizes } from "../server/operation/field-price.js";
import { createServer, type ServerDeps } from "../server/server.js";
import { createAccounts } from "../services/account/accounts.js";
import { createGuests } from "../services/account/guests.js";
import { createPasswords } from "../services/account/passwords.js";
import { createRefusedSignIns } from "../services/account/refused-sign-ins.js";
import { createSignInGuard } from "../services/account/sign-in-guard.js";
import { type Carts, createCarts } from "../services/cart/carts.js";
import { createCartMoves } from "../services/cart/move.js";
import { createProducts } from "../services/catalogue/products.js";
import { createReviews } from "../services/catalogue/reviews.js";
import { createLikes } from "../services/counters/likes.js";
import { createLive } from "../services/live/live.js";
import { createSeenTokens } from "../services/seen-tokens.js";
import { openCounters } from "./counters.js";
import type { Closing } from "./disposer.js";
import type { ComposeOptions, Floor } from "./infrastructure.js";
import { composeNotifications } from "./notification.js";
import { openAdmission, openDocuments } from "./rate-limit.js";
import { createApiReadiness } from "./readiness.js";
import { openSessions } from "./session.js";

/** 256 bits: as much as the signatures that are made with it. */
const SECRET_BYTES = 32;

/** Builds the API and has it listen. Resolves to where. */
export async function startApi(
  floor: Floor,
  { config, log }: ComposeOptions,
  closing: Closing,
): Promise<string> {
  const { database, outboxTable, pubsub, outbox, boards, metrics } = floor;
  const live = createLive({ pubsub, conflationMs: config.live.conflationMs, log });
  closing.add(() => live.close());
  closing.add(await pubsub.subscribe(CATALOGUE_TOPIC, () => live.refresh()));
  const users = createUserTable(database);
  const counting = openCounters(floor, config, log);
  closing.add(() => counting.close());
  const sources: LoaderSources = { ...openTables(floor), users, tallies: counting.counters };
  const writing = { database, outboxTable, outbox };
  const products = createProducts({
    ...writing,
    products: sources.products,
    operations: createOperationTable(database),
  });
  const reviews = createReviews({
    ...writing,
    products: sources.products,
    reviews: sources.reviews,
  });
  const likes = createLikes({ ...writing, likes: sources.likes });
  const { ends, ...signing } = await openAccounts(
    floor,
    { config, log, users, onUsed: counting.activity.used },
    closing,
  );
  const { sessions } = signing;
  const carts = openCarts(floor, config, log);
  await boards.shopBoards.provide();
  const told = composeNotifications(floor, log, (close) => closing.add(close));
  const catalogue = { products, reviews, ...counting, likes };
  const container = createContainer({
    ...boards,
    ...catalogue,
    ...signing,
    carts,
    ...told,
    clock: floor.clock,
    currency: config.currency,
  });
  const events = createEvents(live, told.notifications, boardsExist(boards.leaderboards));
  const schema = buildSoukSchema({ resolvers: resolverClasses, container, pubSub: events });
  checkListSizes(schema);
  const server = await createServer({
    config,
    schema,
    admission: openAdmission(floor, { config, sessions, log }, closing),
    ...(await openSigned(floor)),
    sessions: { confirm: sessions.confirm, onEnded: ends.onEnded },
    documents: openDocuments(floor, config),
    createOperation: ({ seen, bypass, principal, client, guest, buckets, requestId }) =>
      createRequestContext({
        requestId,
        buckets,
        principal,
        client,
        guest,
        reading: new Reading({ seen, bypass }),
        makeLoaders: (reading) => createLoaders(sources, reading),
      }),
    readiness: createApiReadiness(floor),
    metrics,
    log,
  });
  metrics.readRedisFrom(() => readRedisInfo(floor.requests));
  closing.add(() => server.close());
  return (await server.listen()).url;
}

/** What loaders read besides the counters. */
function openTables({ cache, database }: Floor) {
  return {
    cache,
    products: createProductTable(database),
    categories: createCategoryTable(database),
    brands: createBrandTable(database),
    reviews: createReviewTable(database),
    likes: createLikeTable(database),
    notifications: createNotificationTable(database),
  };
}

interface AccountOptions extends Pick<ComposeOptions, "config" | "log"> {
  readonly users: UserTable;
  /** Hears of whoever uses a session. */
  readonly onUsed: (userId: number) => void;
}

/** Sessions, and the accounts that they are opened with. */
async function openAccounts(
  floor: Floor,
  { config, log, users, onUsed }: AccountOptions,
  closing: Closing,
) {
  const { database, auditTable, attempts, metrics } = floor;
  const passwords = createPasswords(config.passwords);
  const { sessions, revocations, ends } = await openSessions(floor, config, {
    closing,
    onUsed,
    log,
  });
  const refused = createRefusedSignIns({ table: auditTable, log });
  closing.add(() => refused.close());
  const guard = createSignInGuard(attempts, metrics);
  const accounts = createAccounts({
    database,
    users,
    passwords,
    sessions,
    revocations,
    guard,
    audit: auditTable,
    refused,
  });
  return { accounts, sessions, revocations, ends };
}

/** What reads the tokens that clients carry and we have signed. */
async function openSigned({
  database,
  cache,
}: Floor): Promise<Pick<ServerDeps, "admitGuest" | "seenTokens">> {
  const secretOf = (name: string) =>
    ensureSecret(database, name, randomBytes(SECRET_BYTES).toString("base64url"));
  const { admit: admitGuest } = createGuests(await secretOf("guests"));
  return {
    admitGuest,
    seenTokens: createSeenTokens(await secretOf("consistency tokens"), cache.nowMs),
  };
}

function openCarts({ callers, keys }: Floor, { carts }: Config, log: Logger): Carts {
  const caller = callers.of("cart", {
    deadlineMs: CART_DEADLINE_MS,
    degraded: { part: "carts", instead: "carts are refused" },
  });
  const store = createCartStore(caller, keys, carts);
  return createCarts({ store, moves: createCartMoves(store, log) });
}
