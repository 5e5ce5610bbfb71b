/** One spelling of text: what it keeps, what it drops, and that it is stable. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkText, lengthOf, typed, typedEmail } from "../../src/domain/text.js";

/** Any text of Unicode, with more of the signs that matter here. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom("e\u0301", "\u200b", "\u0958", " ", "\u202e", "👩‍👧", "\u2067", "\ufeff"),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(""));

describe("typed", () => {
  test("A text that was spelled once is spelled already.", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(typed(typed(value))).toBe(typed(value));
        expect(typedEmail(typedEmail(value))).toBe(typedEmail(value));
      }),
      { numRuns: 2_000, seed: 9 },
    );
  });

  test("Canonically equal texts are spelled alike.", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(typed(value.normalize("NFD"))).toBe(typed(value.normalize("NFC")));
        expect(typed(` ${value}\u200b`)).toBe(typed(value));
      }),
      { numRuns: 2_000, seed: 9 },
    );
  });

  test("A megabyte of blanks within a text is walked once from each end.", () => {
    const blanks = " \u200b".repeat(500_000);
    expect(typed(`${blanks}a${blanks}b${blanks}`)).toBe(`a${blanks}b`);
    expect(typed(blanks)).toBe("");
  });
});

test("A text that passes is as long as it says, is visible, and stays so.", () => {
  const rule = { field: "name", kind: "line", max: 20 } as const;
  fc.assert(
    fc.property(text, (value) => {
      const stored = typed(value);
      if (checkText(rule, stored) !== null) return;
      expect(lengthOf(stored)).toBeLessThanOrEqual(20);
      expect(stored).toMatch(/[\p{L}\p{N}\p{P}\p{S}\p{Co}\p{Cn}]/u);
      expect(stored).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      expect(checkText(rule, typed(stored))).toBeNull();
    }),
    { numRuns: 2_000, seed: 9 },
  );
});
