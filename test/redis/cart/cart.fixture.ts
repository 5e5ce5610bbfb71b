/** Cart stores of tests. */
import type { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import type { Owner } from "../../../src/domain/account/guest.js";
import type { CartRecord } from "../../../src/domain/cart.js";
import {
  CART_DEADLINE_MS,
  type CartAction,
  type CartChange,
  type CartStore,
  createCartStore,
} from "../../../src/redis/cart/cart.js";
import {
  connectRedis,
  type RedisConnection,
  whenReady,
} from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";

/** Opens a store on a connection of its own, which goes with the test; resolves when it answers. */
export async function openCarts({
  url,
  keys,
  ttlMs = 3_600_000,
}: {
  url: string;
  keys: Keys;
  ttlMs?: number;
}): Promise<{
  store: CartStore;
  connection: RedisConnection;
}> {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  return {
    connection,
    store: createCartStore(testCaller(connection, { deadlineMs: CART_DEADLINE_MS }), keys, {
      ttlMs,
    }),
  };
}

export const user = (userId: number): Owner => ({ kind: "user", userId });
export const guest = (guestId: string): Owner => ({ kind: "guest", guestId });

interface Terms {
  readonly price?: number;
  readonly stock?: number;
  readonly operationId?: string | null;
  readonly expectedVersion?: number | null;
}

function change(
  action: CartAction,
  { operationId = null, expectedVersion = null }: Terms,
): CartChange {
  return { action, operationId, expectedVersion };
}

/** Adds pieces of a product that costs 100 and is plentiful, unless said otherwise. */
export const add = (
  productId: number,
  quantity: number,
  { price = 100, stock = 10_000, ...terms }: Terms = {},
): CartChange => change({ kind: "add", productId, quantity, price, stock }, terms);

/** Sets a line. */
export const set = (
  productId: number,
  quantity: number,
  { price = 100, stock = 10_000, ...terms }: Terms = {},
): CartChange => change({ kind: "set", productId, quantity, price, stock }, terms);

/** Clears the cart. */
export const clear = (terms: Terms = {}): CartChange => change({ kind: "clear" }, terms);

/** What is in a cart: [product, quantity] in its order. */
export const contents = ({ lines }: CartRecord): [number, number][] =>
  lines.map(({ productId, quantity }) => [productId, quantity]);

/** As if `ms` had passed for a cart since it was last used, or for its following. */
export async function age(
  connection: Pick<Redis, "hget" | "hset" | "pexpire" | "pttl">,
  key: string,
  ms: number,
): Promise<void> {
  const [version = "", expires = "", ...away] = ((await connection.hget(key, "cart")) ?? "").split(
    "|",
  );
  const earlier = (time: string) => (time === "" ? "" : `${Number(time) - ms}`);
  const moved = away.length > 0 ? [...away.slice(0, 2), earlier(away[2] ?? "")] : [];
  await connection.hset(key, "cart", [version, earlier(expires), ...moved].join("|"));
  // The key outlives its cart by a day.
  await connection.pexpire(key, (await connection.pttl(key)) - ms);
}
