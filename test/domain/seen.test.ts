/** The consistency token: it survives the trip through a client, and a forged one means nothing seen. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { formatSeen, latestSeen, NOTHING_SEEN, parseSeen } from "../../src/domain/seen.js";

const part = fc.integer({ min: 0, max: 999_999_999_999_999 });
const seen = fc.record({ count: part, bypassUntilMs: part });

it("reads what it wrote", () => {
  fc.assert(fc.property(seen, (some) => void expect(parseSeen(formatSeen(some))).toEqual(some)));
  expect(formatSeen({ count: 7, bypassUntilMs: 0 })).toBe("7");
  expect(formatSeen({ count: 7, bypassUntilMs: 9 })).toBe("7.9");
});

it.each([undefined, "", "-1", "1.5.2", " 1", "1 ", "0x10", "1e3", "9999999999999999", "a", "1.", ".1", "1,2"])(
  "takes %j as nothing seen",
  (text) => {
    expect(parseSeen(text)).toEqual(NOTHING_SEEN);
  },
);

it("joins two tokens into that of somebody who has seen both", () => {
  fc.assert(
    fc.property(seen, seen, (a, b) => {
      const both = latestSeen(a, b);
      for (const one of [a, b]) expect(latestSeen(both, one)).toEqual(both);
      expect(latestSeen(a, NOTHING_SEEN)).toEqual(a);
    }),
  );
});
