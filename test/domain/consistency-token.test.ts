/** What a client has seen written. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { latestToken, NO_TOKEN } from "../../src/domain/reading/consistency-token.js";

const part = fc.integer({ min: 0, max: 999_999_999_999_999 });
const seen = fc.record({ count: part, bypassUntilMs: part });

it("Two tokens join into that of a client that has seen both.", () => {
  fc.assert(
    fc.property(seen, seen, (a, b) => {
      const both = latestToken(a, b);
      for (const one of [a, b]) expect(latestToken(both, one)).toEqual(both);
      expect(latestToken(a, NO_TOKEN)).toEqual(a);
    }),
  );
});
