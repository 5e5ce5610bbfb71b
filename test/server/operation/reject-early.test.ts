/** The price by which a request is refused unread: what its admission would take. */
import { parse } from "graphql";
import { expect, it } from "vitest";
import { type RejectionDeps, rejectEarly } from "../../../src/server/operation/admission.js";
import type { Payer } from "../../../src/services/rate-limit/charge.js";

const payer: Payer = { kind: "address", name: "192.0.2.1", block: null };
const document = parse("{ a }");
const raw = { query: "{ a }" };

/** Refuses everything, and notes the prices. */
function open(recentlyRejected = true) {
  const prices: number[] = [];
  const deps = {
    checkCost: () => ({
      requested: 200,
      classes: new Map(),
      varies: true,
      variables: {},
      actual: () => 9,
    }),
    admission: {
      recentlyRejected: () => recentlyRejected,
      check: (_: Payer, { cost }: { cost: number }) => void prices.push(cost),
    } as unknown as RejectionDeps["admission"],
    readDocument: Object.assign(() => document, {
      known: (source: string) => (source === raw.query ? document : undefined),
    }) as unknown as RejectionDeps["readDocument"],
  };
  return { deps, prices };
}

it("A stored answer counts with its actual cost, a known document with its own.", () => {
  const { deps, prices } = open();
  rejectEarly(deps, payer, null);
  rejectEarly(deps, payer, { query: "{ unknown }" });
  rejectEarly(deps, payer, raw);
  rejectEarly(deps, payer, raw, { requested: 200, actual: 9 });
  expect(prices).toEqual([1, 1, 200, 9]);
});

it("Nothing is refused unread while no bucket has refused lately.", () => {
  const { deps, prices } = open(false);
  rejectEarly(deps, payer, raw, { requested: 200, actual: 9 });
  expect(prices).toEqual([]);
});
