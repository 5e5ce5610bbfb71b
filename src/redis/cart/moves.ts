/**
 * The steps by which a guest's cart goes to an account:
 * `seal`, `merge`, `moved`. Each can be repeated. What
 * stands between them is in the sealed cart, for the next
 * call.
 */
import type { Result } from "ioredis";
import { ownerName } from "../../domain/account/guest.js";
import { CART_LIMITS, type CartLineRecord } from "../../domain/cart.js";
import { DAY, MINUTE } from "../../domain/time/time.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";
import { type CartMove, pairs, toStored } from "./stored.js";

type MoveFields = string[];

declare module "ioredis" {
  interface RedisCommander<Context> {
    cartSeal(
      cart: string,
      operations: string,
      lifeMs: number,
      target: number,
      guest: string,
      followedMs: number,
    ): Result<[MoveFields, MoveFields], Context>;
    cartMerge(
      cart: string,
      operations: string,
      marker: string,
      ...args: (string | number)[]
    ): Result<0 | 1, Context>;
    cartMoved(cart: string, ...args: (string | number)[]): Result<0 | 1, Context>;
  }
}

/** A sealed cart: what goes to the account. */
export interface SealedCart {
  readonly move: CartMove;
  readonly lines: readonly CartLineRecord[];
  /** Id and value of each operation, as they are kept. */
  readonly operations: readonly string[];
}

/**
 * A line on its way into an account's cart; `stock` clamps
 * it.
 */
export type MergingLine = CartLineRecord & { readonly stock: number };

/**
 * A guest's writes are followed to the account this long:
 * those under way at a sign-in, and those of old pages.
 */
const FOLLOWED_MS = 5 * MINUTE;
/**
 * A merge is remembered longer than a sealed cart can wait for
 * it.
 */
const MERGE_GRACE_MS = 2 * DAY;

/** Sends a call, and once more where no reply came. */
export type Repeatable = <T>(action: string, send: () => Promise<T>) => Promise<T>;

/** What the steps of carts share. */
export interface CartStepDeps {
  readonly connection: RedisCaller["connection"];
  readonly keys: Keys;
  readonly ttlMs: number;
  readonly repeatable: Repeatable;
}

export function createMoves(deps: CartStepDeps) {
  const { connection, keys, ttlMs, repeatable } = deps;
  return {
    /**
     * Seals a guest's cart for an account, or for that it was
     * sealed for before. One EVALSHA.
     */
    async seal(guestId: string, userId: number): Promise<SealedCart> {
      const name = ownerName({ kind: "guest", guestId });
      const [fields, operations] = await repeatable("seal", () =>
        connection.cartSeal(
          keys.cart(name),
          keys.cartOperations(name),
          ttlMs,
          userId,
          guestId,
          FOLLOWED_MS,
        ),
      );
      const { move, cart } = toStored(pairs(fields));
      if (!move) throw new Error("a sealed cart names no account");
      return { move, lines: cart.lines, operations };
    },
    /**
     * Adds what was sealed to the account's cart, once per
     * merge. One EVALSHA. Resolves to whether it was done now.
     */
    merge: (
      move: CartMove,
      lines: readonly MergingLine[],
      operations: readonly string[],
    ): Promise<boolean> => mergeCart(deps, move, { lines, operations }),
    /** Notes that a merge has arrived. One EVALSHA. */
    async moved(guestId: string, { mergeId }: CartMove): Promise<void> {
      const name = ownerName({ kind: "guest", guestId });
      await repeatable("moved", () =>
        connection.cartMoved(
          keys.cart(name),
          ttlMs,
          ...announcementOf(keys, name),
          mergeId,
          FOLLOWED_MS,
        ),
      );
    },
  };
}

interface Merging {
  readonly lines: readonly MergingLine[];
  readonly operations: readonly string[];
}

async function mergeCart(
  { connection, keys, ttlMs, repeatable }: CartStepDeps,
  { userId, mergeId }: CartMove,
  { lines, operations }: Merging,
): Promise<boolean> {
  const name = ownerName({ kind: "user", userId });
  const args = [
    ttlMs,
    ...announcementOf(keys, name),
    ttlMs + MERGE_GRACE_MS,
    CART_LIMITS.quantity.max,
    CART_LIMITS.lines,
    lines.length,
    ...lines.flatMap((line) => [line.productId, line.quantity, line.unitPrice, line.stock]),
    ...operations,
  ];
  const [cart, known, marker] = [
    keys.cart(name),
    keys.cartOperations(name),
    keys.cartMerge(name, mergeId),
  ];
  return (
    (await repeatable("merge", () => connection.cartMerge(cart, known, marker, ...args))) === 1
  );
}

/** Where a script publishes a change: channel and owner. */
export const announcementOf = (keys: Keys, owner: string) =>
  [keys.topic("cartChanged", owner), owner] as const;
