/**
 * The limiter on one server and on a Cluster: all or nothing, nothing for a refusal, back at most
 * once, and never more than the rule says.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bucket } from "../../../src/domain/limits.js";
import { createKeys, type Keys } from "../../../src/redis/client/keys.js";
import type { Limiter } from "../../../src/redis/rate-limiter/limiter.js";
import { createLocalLimiter } from "../../../src/services/rate-limit/local-limiter.js";
import { drillSize } from "../../support/drill.js";
import { testRedis } from "../../support/redis.js";
import { type RedisCluster, startRedisCluster } from "../../support/redis-cluster.js";
import { until } from "../../support/until.js";
import { bucketOf, excess, openLimiter, type Spent } from "./limiter.fixture.js";

const SLOW = 0.001;
const SEED = 20_261_125;
/** Rounding of debts, in units of cost. */
const GRAIN = 1e-6;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

const places: Record<string, () => { url: string; keys: Keys }> = {
  "one server": () => testRedis(),
  "a Cluster": () => ({ url: cluster.url, keys: createKeys(`${Math.random()}:`) }),
};

/** Waits until a bucket is nearly full. */
async function nearlyPaid(limiter: Limiter, bucket: Bucket): Promise<void> {
  // Asked again at once, not after a pause: the moment is short.
  for (;;) {
    const { remaining } = await limiter.consume(null, [{ bucket, cost: 0 }]);
    if (remaining[0]! > 0.85 * bucket.rule.burst) return;
  }
}

describe.each(Object.entries(places))("a debt on %s", (_name, place) => {
  it("What is owed is taken whatever is left, and nothing passes until it is paid.", async () => {
    const shared = await openLimiter(place());
    const local = createLocalLimiter(() => 0);
    for (const limiter of [shared, local]) {
      const bucket = bucketOf("debtor", 20, SLOW);
      const others = bucketOf("others", 100, SLOW, "block");
      const takes = (cost: number) => [bucket, others].map((one) => ({ bucket: one, cost }));
      await (limiter === shared ? shared.consume(null, takes(14)) : local.consume(takes(14)));
      const owed = await limiter.owe(takes(10));
      expect([owed.refused, owed.remaining.map(Math.round)]).toEqual([null, [-4, 76]]);
      expect((await limiter.owe(takes(10))).remaining.map(Math.round)).toEqual([-14, 66]);
    }
    const { refused } = await shared.consume(null, [
      { bucket: bucketOf("debtor", 20, SLOW), cost: 1 },
    ]);
    expect(refused?.waitMs).toBeCloseTo(15e6, -5);
  });
});

describe.each(Object.entries(places))("the limiter on %s", (_name, place) => {
  it("A limiter takes from all buckets or none, naming the binding one and its wait.", async () => {
    const limiter = await openLimiter(place());
    const [wide, narrow] = [bucketOf("wide", 100, SLOW), bucketOf("narrow", 10, SLOW, "block")];
    const take = (cost: number) =>
      limiter.consume(
        null,
        [wide, narrow].map((bucket) => ({ bucket, cost })),
      );
    expect((await take(7)).refused).toBeNull();
    for (let times = 0; times < 3; times++) {
      const { refused, remaining } = await take(4);
      expect(refused?.bucket).toBe(narrow);
      expect(refused?.waitMs).toBeCloseTo(1e6, -4);
      expect(remaining.map(Math.round)).toEqual([93, 3]);
    }
    expect((await take(3)).remaining.map(Math.round)).toEqual([90, 0]);
  });

  it("A refused request passes after the wait that was named.", async () => {
    const limiter = await openLimiter(place());
    const bucket = bucketOf("a", 50, 500);
    await limiter.consume(null, [{ bucket, cost: 50 }]);
    const { refused, nowUs } = await limiter.consume(null, [{ bucket, cost: 20 }]);
    const later = await until("the bucket to fill", async () => {
      const taken = await limiter.consume(null, [{ bucket, cost: 20 }]);
      return taken.refused ? null : taken;
    });
    expect(later.nowUs - nowUs).toBeGreaterThanOrEqual(refused!.waitMs * 1_000 - 1);
  });

  it("A repeated debit counts once.", async () => {
    const limiter = await openLimiter(place());
    const bucket = bucketOf("a", 100, SLOW);
    for (let times = 0; times < 3; times++) {
      expect(
        (await limiter.consume("operation", [{ bucket, cost: 30 }])).remaining.map(Math.round),
      ).toEqual([70]);
    }
  });

  it("A limiter gives back once, at most what was held, nothing for unknown holds.", async () => {
    const limiter = await openLimiter(place());
    const bucket = bucketOf("a", 100, SLOW);
    const takes = [{ bucket, cost: 30 }];
    await limiter.consume("one", takes);
    await limiter.consume("two", takes);
    expect((await limiter.settle("one", takes, 10)).map(Math.round)).toEqual([10]);
    expect(await limiter.settle("one", takes, 10)).toEqual([]);
    expect((await limiter.settle("two", takes, 1_000)).map(Math.round)).toEqual([30]);
    expect(await limiter.settle("three", takes, 10)).toEqual([]);
    expect((await limiter.consume(null, [{ bucket, cost: 0 }])).remaining.map(Math.round)).toEqual([
      80,
    ]);
  });

  it("Buckets that are left out keep their count, such as sign-ins.", async () => {
    const limiter = await openLimiter(place());
    const [viewer, signIn] = [bucketOf("a", 100, SLOW), bucketOf("a", 10, SLOW, "signIn")];
    const takes = [
      { bucket: viewer, cost: 30 },
      { bucket: signIn, cost: 4 },
    ];
    await limiter.consume("one", takes);
    await limiter.settle("one", takes.slice(0, 1), 30);
    const { remaining } = await limiter.consume(
      null,
      takes.map(({ bucket }) => ({ bucket, cost: 0 })),
    );
    expect(remaining.map(Math.round)).toEqual([100, 6]);
  });

  it("A return adds nothing that time has paid: no bucket holds more than its burst.", async () => {
    const limiter = await openLimiter(place());
    const bucket = bucketOf("a", 100, 10_000);
    const spend = (cost: number, hold: string | null = null) =>
      limiter.consume(hold, [{ bucket, cost }]);
    await spend(100, "old");
    await until("time to have paid", async () => (await spend(0)).remaining[0] === 100);
    await spend(100);
    expect(await limiter.settle("old", [{ bucket, cost: 100 }], 100)).toEqual([0]);
  });

  it("A return adds nothing that time has paid, also if the bucket was always busy.", async () => {
    const limiter = await openLimiter(place());
    const bucket = bucketOf("a", 100, 1_000);
    const takes = [{ bucket, cost: 100 }];
    await limiter.consume("old", takes);
    for (let times = 0; times < 2; times++) {
      await until(
        "half of it to be paid",
        async () => !(await limiter.consume(null, [{ bucket, cost: 50 }])).refused,
      );
    }
    expect(await limiter.settle("old", takes, 100)).toEqual([0]);
  });

  it("The later of two holds gets back what the earlier return left of it.", async () => {
    const limiter = await openLimiter(place());
    const bucket = bucketOf("a", 100, 1_000);
    const takes = [{ bucket, cost: 50 }];
    await limiter.consume("earlier", takes);
    await limiter.consume("later", takes);
    await limiter.settle("earlier", takes, 50);
    await until(
      "the later to be paid",
      async () => !(await limiter.consume(null, [{ bucket, cost: 90 }])).refused,
    );
    expect((await limiter.settle("later", takes, 50))[0]).toBeLessThanOrEqual(10);
  });

  it("A hold of an earlier busy period gets nothing back.", async () => {
    const limiter = await openLimiter(place());
    const bucket = bucketOf("a", 100, 1_000);
    const hold = (name: string | null, cost: number) => limiter.consume(name, [{ bucket, cost }]);
    await hold("first", 60);
    await limiter.settle("first", [{ bucket, cost: 60 }], 50);
    await hold("old", 90);
    await until("all of it to be paid", async () => !(await hold(null, 100)).refused);
    expect(await limiter.settle("old", [{ bucket, cost: 90 }], 90)).toEqual([0]);
  });

  it("A full bucket leaves no key behind.", async () => {
    const at = place();
    const limiter = await openLimiter({ ...at, keepMs: 10 });
    const bucket = bucketOf("a", 100, 10_000);
    await limiter.consume("one", [{ bucket, cost: 100 }]);
    await until(
      "the hold to be forgotten",
      async () => (await limiter.settle("one", [{ bucket, cost: 100 }], 0)).length === 0,
    );
  });
});

describe.each(Object.entries(places))("the traffic of several limiters on %s", (_name, place) => {
  it("No span of time holds more than burst + rate × length, however holds return.", async () => {
    const at = place();
    const limiters = [await openLimiter(at), await openLimiter(at), await openLimiter(at)];
    let runs = 0;
    const totals = { spent: 0, refused: 0, back: 0 };
    const step = fc.record({
      cost: fc.integer({ min: 1, max: 60 }),
      part: fc.double({ min: 0, max: 2, noNaN: true }),
      settleAfter: fc.nat(12),
      times: fc.nat(2),
      pause: fc.nat(5),
      by: fc.nat(2),
    });
    const traffic = fc.tuple(
      fc.constantFrom(5_000, 10_000, 33_333.3),
      fc.array(step, { minLength: 20, maxLength: 60 }),
    );
    await fc.assert(
      fc.asyncProperty(traffic, async ([rate, steps]) => {
        const buckets = [
          bucketOf(`run ${++runs}`, 100, rate),
          bucketOf(`run ${runs}`, 150, rate * 2, "block"),
        ];
        const due = new Map<number, (() => Promise<void>)[]>();
        const spent: { nowUs: number; cost: number; back: number[] }[] = [];
        const underway: Promise<unknown>[] = [];
        for (const [number, { cost, part, settleAfter, times, pause, by }] of steps.entries()) {
          // What is given back after the debt was nearly paid, but not quite, is the hard case.
          if (pause === 0) await nearlyPaid(limiters[0]!, buckets[0]!);
          const takes = buckets.map((bucket) => ({ bucket, cost }));
          const hold = `${runs}:${number}`;
          const one = async () => {
            const { refused, nowUs } = await limiters[by]!.consume(hold, takes);
            if (refused) return void totals.refused++;
            const entry = { nowUs, cost, back: [0, 0] };
            spent.push(entry);
            const settle = async () => {
              const given = await limiters[(by + number) % 3]!.settle(hold, takes, part * cost);
              for (const [index, amount] of given.entries()) entry.back[index]! += amount;
            };
            due.set(number + settleAfter, [
              ...(due.get(number + settleAfter) ?? []),
              ...Array.from({ length: times }, () => settle),
            ]);
          };
          underway.push(one());
          // Some run at the same time, some one after the other.
          if (settleAfter % 3 === 0) await Promise.all(underway.splice(0));
          underway.push(...(due.get(number) ?? []).map((settle) => settle()));
        }
        await Promise.all(underway);
        for (const [index, bucket] of buckets.entries()) {
          const net: Spent[] = spent.map(({ nowUs, cost, back }) => ({
            nowUs,
            cost: cost - back[index]!,
          }));
          expect(net.every(({ cost }) => cost >= -GRAIN)).toBe(true);
          expect(excess(net, bucket)).toBeLessThanOrEqual(GRAIN);
        }
        totals.spent += spent.length;
        totals.back += spent.filter(({ back }) => back[0]! > 0).length;
      }),
      { numRuns: drillSize({ sample: 60, full: 3_000 }), seed: SEED, endOnFailure: true },
    );
    // Traffic that is never refused, or never given anything back, would show nothing.
    expect(totals.refused).toBeGreaterThan(runs);
    expect(totals.back).toBeGreaterThan(runs);
  });

  it("Nobody is refused beside somebody who asks a thousand times the limit.", async () => {
    const at = place();
    const [hostile, other] = [await openLimiter(at), await openLimiter(at)];
    const flooded = bucketOf("hostile", 10, 5);
    const own = bucketOf("other", 10, 5);
    const flood = Promise.allSettled(
      Array.from({ length: 5_000 }, () => hostile.consume(null, [{ bucket: flooded, cost: 1 }])),
    );
    // A late question is repeated under its hold, which takes once.
    const ask = (hold: string) =>
      until("a reply", () => other.consume(hold, [{ bucket: own, cost: 1 }]));
    for (let times = 0; times < 10; times++) expect((await ask(`own-${times}`)).refused).toBeNull();
    const answers = (await flood).flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const spent = answers
      .filter(({ refused }) => !refused)
      .map(({ nowUs }) => ({ nowUs, cost: 1 }));
    expect(excess(spent, flooded)).toBeLessThanOrEqual(GRAIN);
    expect(spent.length).toBeLessThan(answers.length);
  });
});
