/**
 * Counters under any history: events, flushes that die anywhere, tallies that vanish. Each event
 * counts once, in Redis and in Postgres.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Keys } from "../../../src/redis/client/keys.js";
import { shardOf } from "../../../src/redis/counters/counters.js";
import { drillSize } from "../../support/drill.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { testRedis } from "../../support/redis.js";
import {
  type CounterKit,
  type Crash,
  dying,
  openCounterKit,
  STEPS,
  stockProducts,
} from "./counters.fixture.js";

const PRODUCTS = [1, 2, 3, 64, 65];
const SEED = 4;

const product = fc.constantFrom(...PRODUCTS);
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("view" as const),
      product,
      guest: fc.integer({ min: 0, max: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("share" as const), product }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("flush" as const),
      step: fc.constantFrom(...STEPS),
      when: fc.constantFrom("before" as const, "after" as const),
      armed: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), product }) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

interface Place {
  readonly kit: CounterKit;
  readonly keys: Keys;
  readonly crash: Crash;
  readonly run: string;
}

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await stockProducts(db.database, 70);
});
afterAll(() => db.close());

async function perform({ kit, keys, crash, run }: Place, doing: Action): Promise<void> {
  if (doing.kind === "view") await kit.view(doing.product, `${run} ${doing.guest}`);
  else if (doing.kind === "share") await kit.share(doing.product);
  else if (doing.kind === "forget")
    await kit.connection.del(keys.tally(shardOf(doing.product), doing.product));
  else {
    Object.assign(crash, doing);
    await kit.flush().catch((error: Error) => expect(error.message).toBe("killed"));
    crash.armed = false;
  }
}

/** What the actions add to each product. */
function expectedOf(actions: readonly Action[]) {
  return PRODUCTS.map((id) => ({
    views: new Set(
      actions.flatMap((doing) =>
        doing.kind === "view" && doing.product === id ? [doing.guest] : [],
      ),
    ).size,
    shares: actions.filter((doing) => doing.kind === "share" && doing.product === id).length,
  }));
}

it("Each event of a history is counted once.", async () => {
  let runs = 0;
  const size = { numRuns: drillSize({ sample: 40, full: 2_000 }), seed: SEED };
  const history = fc.array(action, { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(history, async (actions) => {
      const crash: Crash = { step: "cutBatch", when: "before", armed: false };
      const redis = testRedis();
      const kit = await openCounterKit({
        ...redis,
        database: db.database,
        wrap: (parts) => dying(parts, crash),
      });
      const run = `run ${++runs}`;
      const base = await Promise.all(PRODUCTS.map((id) => kit.stored(id)));
      for (const doing of actions) await perform({ kit, keys: redis.keys, crash, run }, doing);
      const sums = expectedOf(actions).map(({ views, shares }, at) => ({
        views: (base[at]?.views ?? 0) + views,
        shares: (base[at]?.shares ?? 0) + shares,
      }));
      expect(await Promise.all(PRODUCTS.map((id) => kit.read(id)))).toMatchObject(sums);
      await kit.flush();
      expect(await Promise.all(PRODUCTS.map((id) => kit.stored(id)))).toMatchObject(sums);
      kit.connection.disconnect();
    }),
    size,
  );
});
