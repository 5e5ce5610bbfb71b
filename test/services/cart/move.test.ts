/** A sign-in never fails by its cart. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { DatabaseUnavailable, RedisUnavailable } from "../../../src/domain/errors.js";
import { createCartMoves } from "../../../src/services/cart/move.js";
import { rememberingLog } from "../../support/log.js";

const move = { userId: 1, mergeId: "g:1", arrived: false };
const works = {
  seal: async () => ({
    move,
    lines: [{ productId: 1, quantity: 1, unitPrice: 1 }],
    operations: [],
  }),
  merge: async () => true,
  moved: async () => {},
};
const fails = () => Promise.reject(new RedisUnavailable());
const noProducts = async () => [null];

it.each(["seal", "merge", "moved"] as const)(
  "A sign-in does not fail when Redis is gone at %s: the move is logged and done later.",
  async (step) => {
    const { log, lines } = rememberingLog();
    expect(await createCartMoves({ ...works, [step]: fails }, log).adopt("g", 1, noProducts)).toBe(
      false,
    );
    expect(lines).toHaveLength(1);
    await expect(
      createCartMoves({ ...works, [step]: fails }, log).finish("g", move, noProducts),
    ).rejects.toThrow(RedisUnavailable);
  },
);

it("A sign-in does not fail when the products cannot be read.", async () => {
  const { log } = rememberingLog();
  expect(
    await createCartMoves(works, log).adopt("g", 1, () =>
      Promise.reject(new DatabaseUnavailable()),
    ),
  ).toBe(false);
});

it("A sign-in does not fail when a step of the move never ends.", async () => {
  const { log } = rememberingLog();
  const ended = new AbortController();
  const never = () => delay(60_000, true, { signal: ended.signal }).catch(() => true);
  expect(await createCartMoves({ ...works, merge: never }, log).adopt("g", 1, noProducts)).toBe(
    false,
  );
  ended.abort();
});
