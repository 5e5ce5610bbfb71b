/**
 * Consistency tokens: they survive the trip through a client, and one that we did not sign means
 * nothing seen.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { latestToken, NO_TOKEN } from "../../src/domain/reading/consistency-token.js";
import { createConsistencyTokens } from "../../src/services/consistency-tokens.js";

const NOW_MS = 1_700_000_000_000;
const tokens = createConsistencyTokens("secret", () => NOW_MS);
const part = fc.integer({ min: 0, max: 999_999_999_999_999 });
const seen = fc.record({ count: part, bypassUntilMs: part });
const SEED = { seed: 15 };

it("A token is read as it was written, and fits into a cookie.", () => {
  fc.assert(
    fc.property(seen, (some) => {
      expect(tokens.read(tokens.write(some))).toEqual(some);
      expect(tokens.write(some)).toMatch(/^[\w.-]+$/);
    }),
    SEED,
  );
});

it("Tokens in one header are read as the latest of each part, whatever separates them.", () => {
  fc.assert(
    fc.property(seen, seen, (a, b) => {
      expect(tokens.read(`${tokens.write(a)}, forged,${tokens.write(b)}`)).toEqual(
        latestToken(a, b),
      );
    }),
    SEED,
  );
});

it("A token with any character changed, and one of another shop, is read as nothing seen.", () => {
  const character = fc.constantFrom(..."0123456789ABCxyz-_.");
  fc.assert(
    fc.property(seen, fc.nat(), character, (some, at, other) => {
      const token = tokens.write(some);
      const index = at % token.length;
      const forged = token.slice(0, index) + other + token.slice(index + 1);
      // The last character of base64 holds bits that stand for nothing.
      if (tokens.read(forged) !== NO_TOKEN) expect(tokens.read(forged)).toEqual(some);
      expect(createConsistencyTokens("another secret", () => NOW_MS).read(token)).toEqual(NO_TOKEN);
    }),
    SEED,
  );
});

it("A token orders reading past the cache until its time, by the clock that it is given.", () => {
  expect(tokens.ordersBypass({ count: 1, bypassUntilMs: NOW_MS + 1 })).toBe(true);
  expect(tokens.ordersBypass({ count: 1, bypassUntilMs: NOW_MS })).toBe(false);
  expect(tokens.ordersBypass(NO_TOKEN)).toBe(false);
});
