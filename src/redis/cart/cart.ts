/**
 * Carts: complete and live, until a checkout takes them.
 *
 * One HASH per owner (product → quantity, price at adding,
 * order; version; expiry) and one HASH of named operations,
 * in one slot. The key outlives its cart by a day. A mutation
 * is one script that checks, writes, remembers its operation
 * and publishes the change. A write without a reply is sent
 * once more under the same operation; unnamed ones are
 * remembered for a minute in a STRING. A script reads a cart
 * that has moved, may have expired, or needs renewal. Other
 * reads need none. A guest's cart moves to an account in
 * three repeatable steps (moves.ts). Redis down: everything
 * rejects with RedisUnavailable within a second.
 */
import type { Result } from "ioredis";
import { type Owner, ownerName } from "../../domain/account/guest.js";
import { DAY, HOUR, SECOND } from "../../domain/time/time.js";
import { callRepeatable, type RedisCaller } from "../client/call.js";
import { readTimeMs } from "../client/clock.js";
import type { Keys } from "../client/keys.js";
import { createCartChange } from "./change.js";
import { createMoves, type Repeatable } from "./moves.js";
import { pairs, type StoredCart, toStored } from "./stored.js";

export type { CartAction, CartChange, ChangeOutcome, ChangeResult } from "./change.js";
export type { CartMove, StoredCart } from "./stored.js";

type Fields = string[];

declare module "ioredis" {
  interface RedisCommander<Context> {
    cartRead(cart: string, lifeMs: number, renewMs: number): Result<Fields, Context>;
  }
}

/** All methods reject with RedisUnavailable. */
export type CartStore = ReturnType<typeof createCartStore>;

/**
 * Longest wait for a reply: two tries and the wait between
 * them stay below a second.
 */
export const CART_DEADLINE_MS = 0.4 * SECOND;
const RECONNECT_MS = 0.2 * SECOND;
/**
 * A read renews a cart at most this often; more would make
 * every read a write.
 */
const RENEW_EVERY_MS = HOUR;
/**
 * How much longer the key lives than the cart:
 * cart.opened.lua says why.
 */
const OUTLIVES_MS = DAY;

/**
 * @param options.ttlMs how long a cart is kept since its
 * last use
 */
export function createCartStore(
  caller: RedisCaller,
  keys: Keys,
  { ttlMs }: { readonly ttlMs: number },
) {
  const { connection, call } = caller;
  const renewMs = ttlMs - RENEW_EVERY_MS;
  const repeatable: Repeatable = (action, send) =>
    callRepeatable(caller, action, { send, againMs: RECONNECT_MS });

  const open = async (cart: string): Promise<StoredCart> =>
    toStored(pairs(await connection.cartRead(cart, ttlMs, renewMs)));
  const show = async (cart: string): Promise<StoredCart> =>
    toStored(Object.entries(await connection.hgetall(cart)));

  return {
    /**
     * The cart of an owner; empty where there is none or it has
     * expired. PTTL and HGETALL in one round trip, O(lines). One
     * EVALSHA more where it may have expired, moved, or is to be
     * renewed. PTTL goes first: the cart was alive when its
     * lines were read.
     */
    read: (owner: Owner): Promise<StoredCart> =>
      repeatable("read", async () => {
        const cart = keys.cart(ownerName(owner));
        const [keyMs, stored] = await Promise.all([connection.pttl(cart), show(cart)]);
        const leftMs = keyMs - OUTLIVES_MS;
        return leftMs > 0 && leftMs >= renewMs && !stored.move ? stored : open(cart);
      }),
    /**
     * When a cart that is made now would expire, by the Redis
     * clock. One TIME.
     */
    async expiryOfNew(): Promise<number> {
      return (await call("time", () => readTimeMs(connection))) + ttlMs;
    },
    ...createCartChange({ connection, keys, ttlMs, repeatable }, show),
    ...createMoves({ connection, keys, ttlMs, repeatable }),
  };
}
