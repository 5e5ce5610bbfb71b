/** Keys of answers: equal where execution gives the same, and different where it may not. */
import { parse } from "graphql";
import { expect, it } from "vitest";
import { createAnswerKeys, hasSmallVariables } from "../../../src/server/operation/answer-key.js";

const SOURCE = "query Q($a: Int, $b: [Int!], $c: In) { a } query R { a }";
const document = parse(SOURCE);
const keyOf = createAnswerKeys();
const key = (variables: Record<string, unknown> | null, operationName = "Q", from = document) =>
  keyOf({ document: from, operationName, variables });

it("The order of names, and variables that are not declared, make no difference.", () => {
  expect(key({ a: 1, c: { x: 1, y: 2 } })).toBe(key({ c: { y: 2, x: 1 }, a: 1, other: 3 }));
  expect(key(null)).toBe(key({}));
});

it("A document that is read again has the same keys.", () => {
  expect(key({ a: 1 }, "Q", parse(SOURCE))).toBe(key({ a: 1 }));
  expect(key({ a: 1 }, "Q", parse(`${SOURCE} `))).not.toBe(key({ a: 1 }));
});

it("No two values that execution tells apart share a key.", () => {
  const values = [
    null,
    0,
    1,
    "1",
    "",
    true,
    [],
    [1],
    [[1]],
    {},
    { x: 1 },
    { list: [1] },
    { number: "Infinity" },
    [["x", 1]],
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  const keys = [key({}), key({}, "R"), ...values.map((c) => key({ c }))];
  expect(new Set(keys).size).toBe(keys.length);
});

it("Many or long variables make no key.", () => {
  const small = (c: unknown) =>
    hasSmallVariables({ document, operationName: "Q", variables: { c, other: "x".repeat(9_999) } });
  expect([small({ x: [1, 2, 3] }), small("x".repeat(4_096))]).toEqual([true, true]);
  expect([
    small(Array(501).fill(1)),
    small("x".repeat(4_097)),
    small({ ["x".repeat(5_000)]: 1 }),
  ]).toEqual([false, false, false]);
});
