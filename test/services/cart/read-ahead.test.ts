/** A cart that is read before its caller is confirmed. */
import { expect, it } from "vitest";
import type { Owner } from "../../../src/domain/account/guest.js";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import type { StoredCart } from "../../../src/redis/cart/cart.js";
import { type CartAhead, createCarts, type Shopper } from "../../../src/services/cart/carts.js";

const USER = 1;

/** Carts whose version is the number of reads so far. */
function open(fails = false) {
  const reads: Owner[] = [];
  const moved: string[] = [];
  const carts = createCarts({
    store: {
      async read(owner): Promise<StoredCart> {
        reads.push(owner);
        if (fails) throw new RedisUnavailable();
        return { cart: { version: reads.length, expiresMs: 0, lines: [] }, move: null };
      },
      change: () => Promise.reject(new Error("Nothing is changed here.")),
      expiryOfNew: async () => 0,
    },
    moves: {
      async adopt(guestId) {
        moved.push(guestId);
        return true;
      },
      finish: async () => {},
    },
  });
  return { carts, reads, moved };
}

const shopper = (userId: number, cartAhead: CartAhead, guest: string | null = null): Shopper => ({
  owner: () => ({ kind: "user", userId }),
  writingOwner: () => ({ kind: "user", userId }),
  guest,
  forgetGuest() {},
  readProducts: async () => [],
  cartAhead,
});

it("The caller that was expected gets the cart that was read ahead.", async () => {
  const { carts, reads } = open();
  const ahead = carts.readAhead(USER);
  expect((await carts.read(shopper(USER, ahead))).record.version).toBe(1);
  expect(reads).toEqual([{ kind: "user", userId: USER }]);
});

it("Another caller never gets it.", async () => {
  const { carts, reads } = open();
  const ahead = carts.readAhead(USER);
  const other = USER + 1;
  expect((await carts.read(shopper(other, ahead))).record.version).toBe(2);
  expect(reads[1]).toEqual({ kind: "user", userId: other });
});

it("A guest's cart that has to move first is in the answer.", async () => {
  const { carts, moved } = open();
  const ahead = carts.readAhead(USER);
  expect((await carts.read(shopper(USER, ahead, "g"))).record.version).toBe(2);
  expect(moved).toEqual(["g"]);
});

it("A failed read rejects for its caller, and for no other.", async () => {
  const { carts } = open(true);
  const unused = carts.readAhead(USER);
  // An unhandled rejection would fail the test.
  await expect(unused.stored).rejects.toThrow(RedisUnavailable);
  carts.readAhead(USER);
  const ahead = carts.readAhead(USER);
  await expect(carts.read(shopper(USER, ahead))).rejects.toThrow(RedisUnavailable);
});
