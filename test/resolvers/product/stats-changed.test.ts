/** Events of a product's counters: one read, whatever they select, and never without an identity. */
import { execute, parse } from "graphql";
import { expect, it } from "vitest";
import { ANONYMOUS } from "../../../src/domain/account/principal.js";
import type { ProductRecord } from "../../../src/domain/catalogue/catalogue.js";
import type { Tally, TallyKey } from "../../../src/domain/counters.js";
import { encodeId } from "../../../src/domain/ids.js";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import { createCounterLoaders } from "../../../src/loaders/counters.js";
import type { Loaders } from "../../../src/loaders/loaders.js";
import { createRequestContext } from "../../../src/resolvers/context.js";
import { ProductResolver } from "../../../src/resolvers/product/product.js";
import { ProductStatsResolver } from "../../../src/resolvers/product/stats.js";
import { ProductStatsSubscriptions } from "../../../src/resolvers/product/stats-changed.js";
import { buildSoukSchema } from "../../../src/schema/build-schema.js";
import { createAnswerPlanner } from "../../../src/server/operation/answer-plan.js";
import { createGuests } from "../../../src/services/account/guests.js";
import { TEST_CLIENT } from "../../support/client.js";

const instances: readonly object[] = [
  new ProductResolver("EUR"),
  new ProductStatsResolver({ nowMs: () => Date.UTC(2026, 10, 3) }),
  new ProductStatsSubscriptions("EUR"),
];
const schema = buildSoukSchema({
  resolvers: [ProductResolver, ProductStatsResolver, ProductStatsSubscriptions],
  container: { get: (wanted) => instances.find((one) => one.constructor === wanted) },
  pubSub: { publish() {}, subscribe: () => [] as never },
});

const BOTH = parse(
  'subscription { productStatsChanged(productId: "x") { id ' +
    "product { id stats { id views shares viewsToday } } stats { id views shares viewsToday } } }",
);

/** What an event of product 1 answers, and the batches in which tallies were read. */
async function answer(product: Pick<ProductRecord, "removed"> | null) {
  const batches: number[] = [];
  const reading = new ReadContext();
  const read = async (keys: readonly TallyKey[]): Promise<Tally[]> => {
    batches.push(keys.length);
    // Another count at each read: equal ones come from the same.
    const viewers = { estimate: 1, standardError: 0, exact: true };
    return keys.map(() => ({ views: batches.length, shares: 10 * batches.length, viewers }));
  };
  const counters = createCounterLoaders({ tallies: { read }, likes: {} } as never, reading);
  const record = product && { id: 1, price: 1, ratingSum: 0, ratingCount: 0, ...product };
  const contextValue = createRequestContext({
    requestId: "r",
    principal: ANONYMOUS,
    client: TEST_CLIENT,
    guest: createGuests("secret").admit(undefined),
    reading,
    makeLoaders: () =>
      ({ ...counters, product: { load: async () => record } }) as unknown as Loaders,
  });
  const event = { id: 1, seen: 0, version: 0, sent: new Map() };
  const { data, errors } = await execute({
    schema,
    document: BOTH,
    rootValue: event,
    contextValue,
  });
  return { change: data?.productStatsChanged, errors, batches };
}

it("The counters under the product and beside it are equal, from one read.", async () => {
  const { change, batches } = await answer({ removed: false });
  const stats = { id: expect.any(String), views: 1, shares: 10, viewsToday: 1 };
  const id = encodeId("Product", 1);
  expect(change).toEqual({ id, product: { id, stats }, stats });
  expect((change as { stats: object }).stats).toEqual(
    (change as { product: { stats: object } }).product.stats,
  );
  // All time and today.
  expect(batches).toEqual([2]);
});

it("A removed product is null beside its last counters.", async () => {
  const { change } = await answer({ removed: true });
  expect(change).toMatchObject({ product: null, stats: { views: 1 } });
});

it("A product that never was is refused.", async () => {
  const { change, errors } = await answer(null);
  expect([change, errors?.[0]?.message]).toEqual([
    undefined,
    "productId is not the id of a product.",
  ]);
});

it("Clients share an event in both places, unless it says what its reader likes.", () => {
  const plan = createAnswerPlanner(schema);
  expect(plan(BOTH, null)).toMatchObject({ scope: "PUBLIC", delivery: "SNAPSHOT" });
  const liked = parse(
    'subscription { productStatsChanged(productId: "x") { product { stats { likedByViewer } } } }',
  );
  expect(plan(liked, null).scope).toBe("VIEWER");
});
