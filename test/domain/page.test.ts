/** Pages and cursors: what is accepted, and that nothing forged is. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BadUserInput } from "../../src/domain/errors.js";
import { decodeCursor, encodeCursor, PAGE_SIZE, pageSize } from "../../src/domain/page.js";

const position = fc.record({
  value: fc.oneof(fc.maxSafeInteger(), fc.string({ unit: "grapheme", maxLength: 100 })),
  id: fc.maxSafeInteger(),
});

describe("first", () => {
  it("A page has the default size unless one is given.", () => {
    expect([pageSize(undefined), pageSize(null)]).toEqual([PAGE_SIZE.default, PAGE_SIZE.default]);
  });
  it("A page size is accepted from 1 to 100.", () => {
    expect([pageSize(1), pageSize(100)]).toEqual([1, 100]);
  });
  it.each([0, -1, 101, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "A page size of %d is refused.",
    (first) => {
      expect(() => pageSize(first)).toThrow(BadUserInput);
    },
  );
});

describe("a cursor", () => {
  it("A cursor leads back to its position.", () => {
    fc.assert(
      fc.property(
        position,
        (some) => void expect(decodeCursor("list", encodeCursor("list", some))).toEqual(some),
      ),
    );
  });
  it("No cursor means the start.", () => {
    expect([decodeCursor("list", null), decodeCursor("list", undefined)]).toEqual([null, null]);
  });
  it("A cursor is refused by any other list.", () => {
    fc.assert(
      fc.property(
        position,
        (some) =>
          void expect(() => decodeCursor("other", encodeCursor("list", some))).toThrow(
            BadUserInput,
          ),
      ),
    );
  });
  it("A cursor is refused when a character of it was changed.", () => {
    fc.assert(
      fc.property(position, fc.nat(), fc.constantFrom(..."Az09-_=+/ "), (some, at, letter) => {
        const cursor = encodeCursor("list", some);
        const index = at % cursor.length;
        const forged = `${cursor.slice(0, index)}${letter}${cursor.slice(index + 1)}`;
        if (forged !== cursor) expect(() => decodeCursor("list", forged)).toThrow(BadUserInput);
      }),
    );
  });
  it("A text that is no cursor is refused, however long.", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200 }),
        (text) => void expect(() => decodeCursor("list", text)).toThrow(BadUserInput),
      ),
    );
    expect(() => decodeCursor("list", "A".repeat(1_000_000))).toThrow(BadUserInput);
  });
});
