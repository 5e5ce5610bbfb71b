/**
 * What messages of subscriptions may cost over time: never more than burst and rate, and never for
 * ever nothing.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMessageAllowance } from "../../../src/server/connection/message-allowance.js";
import type { Payer } from "../../../src/services/rate-limit/charge.js";

const RULE = { burst: 100, perSecond: 10 };
const rules = { viewer: RULE, address: RULE, service: RULE };
const payer = (name: string): Payer => ({ kind: "viewer", name, block: null });
const [ANNA, BEN] = [payer("anna"), payer("ben")];

describe("the allowance of a caller", () => {
  it("It executes no more than its burst, its rate and one message, whatever they cost.", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            cost: fc.integer({ min: 1, max: 500 }),
            afterMs: fc.integer({ min: 0, max: 5_000 }),
          }),
        ),
        (wanted) => {
          let now = 0;
          const allowance = createMessageAllowance(rules, () => now);
          let executed = 0;
          for (const { cost, afterMs } of wanted) {
            now += afterMs;
            if (allowance.waitMs([ANNA]) > 0) continue;
            allowance.spend([ANNA], cost);
            executed += cost;
            expect(executed).toBeLessThanOrEqual(
              RULE.burst + (RULE.perSecond * now) / 1_000 + cost + 1e-6,
            );
          }
        },
      ),
      { seed: 20_261_129 },
    );
  });

  it("The allowance reports how long a value waits, and passes it then.", () => {
    let now = 0;
    const allowance = createMessageAllowance(rules, () => now);
    allowance.spend([ANNA], 150);
    expect(allowance.waitMs([ANNA])).toBe(5_000);
    now = 5_000;
    expect(allowance.waitMs([ANNA])).toBe(0);
  });

  it("Callers do not share an allowance, even where they share a message.", () => {
    const allowance = createMessageAllowance(rules, () => 0);
    allowance.spend([ANNA], 1_000);
    expect(allowance.waitMs([BEN])).toBe(0);
    expect(allowance.waitMs([ANNA, BEN])).toBe(0);
    // The one with more left pays for what both get.
    allowance.spend([ANNA, BEN], 60);
    allowance.spend([ANNA, BEN], 60);
    expect(allowance.waitMs([ANNA, BEN])).toBe(2_000);
  });
});
