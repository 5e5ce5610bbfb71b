/** Which reads begin before the caller of a query is confirmed. */
import { parse } from "graphql";
import { expect, it } from "vitest";
import type { ClaimedCaller } from "../../../src/server/operation/caller.js";
import { createReadAhead } from "../../../src/server/operation/read-ahead.js";
import type { CartAhead } from "../../../src/services/cart/carts.js";

const USER = 7;
const claimed = {} as ClaimedCaller;

/** Notes the users whose carts are read. */
function open(likely: number | null = USER) {
  const users: number[] = [];
  const readAhead = createReadAhead(
    {
      cart(userId): CartAhead {
        users.push(userId);
        return { userId, stored: new Promise(() => {}) };
      },
    },
    { likelyUser: () => likely },
  );
  const read = (text: string, operationName: string | null = null) =>
    readAhead({ document: parse(text), operationName, variables: {} }, claimed);
  return { read, users };
}

it.each(["{ cart { quantity } }", "{ viewer { id } mine: cart { quantity } }"])(
  "The cart of the likely user is read ahead for %s.",
  (text) => {
    const { read, users } = open();
    expect(read(text)?.cart?.userId).toBe(USER);
    expect(users).toEqual([USER]);
  },
);

it.each([
  "{ viewer { id } }",
  "{ cart @include(if: false) { quantity } }",
  "mutation { cart { quantity } }",
  "subscription { cart { quantity } }",
  "{ constructor }",
])("Nothing is read ahead for %s.", (text) => {
  const { read, users } = open();
  expect(read(text)).toBeNull();
  expect(users).toEqual([]);
});

it("The operation that is named counts, each time.", () => {
  const { read, users } = open();
  const text = "query A { cart { quantity } } query B { viewer { id } }";
  expect(read(text, "B")).toBeNull();
  read(text, "A");
  read(text, "A");
  expect(users).toEqual([USER, USER]);
});

it("Nothing is read ahead where the user of a token is not known.", () => {
  const { read, users } = open(null);
  expect(read("{ cart { quantity } }")).toBeNull();
  expect(users).toEqual([]);
});
