/** What a client has seen written. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { latestSeen, NOTHING_SEEN } from "../../src/domain/seen.js";

const part = fc.integer({ min: 0, max: 999_999_999_999_999 });
const seen = fc.record({ count: part, bypassUntilMs: part });

it("Two tokens join into that of a client that has seen both.", () => {
  fc.assert(
    fc.property(seen, seen, (a, b) => {
      const both = latestSeen(a, b);
      for (const one of [a, b]) expect(latestSeen(both, one)).toEqual(both);
      expect(latestSeen(a, NOTHING_SEEN)).toEqual(a);
    }),
  );
});
