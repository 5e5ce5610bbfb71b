/**
 * Credit: a busy payer asks Redis a few times a second, whatever it asks of the server, and gets no
 * more than its buckets give.
 */
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import { createCallers } from "../../../src/redis/client/call.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createLimiter } from "../../../src/redis/rate-limiter/limiter.js";
import type { BucketRules, Charge, Payer } from "../../../src/services/rate-limit/charge.js";
import { Credits } from "../../../src/services/rate-limit/credit.js";
import { createLimits, type Limits } from "../../../src/services/rate-limit/limits.js";
import { CREDIT_MS } from "../../../src/services/rate-limit/payer-credit.js";
import { drillSize } from "../../support/drill.js";
import { testLog } from "../../support/log.js";
import { testRedis } from "../../support/redis.js";
import { startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";

const PAYER: Payer = { kind: "address", name: "192.0.2.1", block: "192.0.2.0/24" };
const SLOW = 0.001;

const rulesOf = (burst: number, perSecond = SLOW): BucketRules => {
  const rule = { burst, perSecond };
  const block = { burst: 10 * burst, perSecond: 10 * perSecond };
  return { viewer: rule, address: rule, service: rule, block, signIn: rule, checkout: rule };
};

const exact = (cost: number): Charge => ({
  cost,
  varies: false,
  classes: new Map(),
  takesCredit: true,
});
const plain = (cost: number): Charge => ({ cost, varies: false, classes: new Map() });

interface Opened {
  readonly limits: Limits;
  readonly outcomes: Map<string, number>;
  /** Scripts that were sent for limits. */
  readonly scripts: () => number;
}

/** The limits of one process. */
async function openLimits(rules: BucketRules, { url, keys } = testRedis()): Promise<Opened> {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  let scripts = 0;
  const callers = createCallers({
    connection,
    telemetry: {
      redisRoundTrip() {
        scripts += 1;
      },
    },
  });
  onTestFinished(() => callers.close());
  const outcomes = new Map<string, number>();
  const limits = createLimits({
    limiter: createLimiter(callers.of("rate-limiter", { deadlineMs: 10_000 }), keys, {
      keepMs: 60_000,
    }),
    breaker: callers.breaker({ deadlineMs: 10_000 }),
    rules,
    largest: rules.address.burst,
    processes: 1,
    telemetry: {
      limit: (_, outcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1),
    },
  });
  return { limits, outcomes, scripts: () => scripts };
}

/** What a payer's own bucket has left, in Redis and as credit. */
async function remaining({ limits }: Opened, payer = PAYER): Promise<number> {
  const { buckets } = await limits.charge(payer, plain(0));
  return Math.round(buckets[0]!.remaining);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it("A busy payer is charged without Redis, exactly.", async () => {
  const place = testRedis();
  const opened = await openLimits(rulesOf(10_000), place);
  const shown: number[] = [];
  for (let times = 0; times < 300; times += 1) {
    const { buckets } = await opened.limits.charge(PAYER, exact(2));
    expect(buckets.map(({ bucket }) => bucket)).toEqual(["address", "block"]);
    shown.push(Math.round(buckets[0]!.remaining));
  }
  expect(shown).toEqual(Array.from({ length: 300 }, (_, times) => 10_000 - 2 * (times + 1)));
  expect(opened.outcomes.get("admitted here")).toBeGreaterThan(50);
  expect(opened.scripts()).toBeLessThan(300);
  // What it did not use is there for all processes.
  const other = await openLimits(rulesOf(10_000), place);
  await until("the rest to be given back", async () => (await remaining(other)) === 10_000 - 600);
});

it("A payer sees at once what is given back and owed while credit pays.", async () => {
  const { limits, outcomes } = await openLimits(rulesOf(10_000));
  let left = 10_000;
  for (let times = 0; times < 100; times += 1) {
    const held = await limits.charge(PAYER, { ...plain(10), varies: true });
    held.settle(4);
    limits.owe(PAYER, 3);
    const { buckets } = await limits.charge(PAYER, exact(1));
    left -= 4 + 3 + 1;
    expect(Math.round(buckets[0]!.remaining)).toBe(left);
  }
  expect(outcomes.get("admitted here")).toBeGreaterThan(10);
});

it("A payer that asks now and then takes no credit.", async () => {
  const opened = await openLimits(rulesOf(10_000));
  for (let times = 0; times < 5; times += 1) {
    await opened.limits.charge(PAYER, exact(2));
    await pause(2 * CREDIT_MS + 20);
  }
  expect(opened.outcomes.get("admitted here")).toBeUndefined();
  expect(opened.scripts()).toBe(5);
});

it("Requests that come one by one take no credit, however regular they are.", async () => {
  const opened = await openLimits(rulesOf(10_000));
  for (let times = 0; times < 10; times += 1) {
    await opened.limits.charge(PAYER, exact(2));
    await pause(1.3 * CREDIT_MS);
  }
  expect([opened.scripts(), opened.outcomes.get("admitted here")]).toEqual([10, undefined]);
});

it("A slow operation gets its surplus back, whatever credit comes and goes meanwhile.", async () => {
  const place = testRedis();
  const opened = await openLimits(rulesOf(10_000), place);
  const other = await openLimits(rulesOf(10_000), place);
  const slow = await opened.limits.charge(PAYER, { ...plain(1_000), varies: true });
  let used = 0;
  for (let round = 0; round < 5; round += 1) {
    for (let times = 0; times < 8; times += 1) {
      await opened.limits.charge(PAYER, exact(10));
      used += 10;
    }
    await pause(1.4 * CREDIT_MS);
  }
  expect(opened.outcomes.get("admitted here")).toBeGreaterThan(0);
  slow.settle(1);
  await until("all to be given back", async () => (await remaining(other)) === 10_000 - used - 1);
});

it("A debt refuses nobody who has the rest as credit.", async () => {
  const { limits } = await openLimits(rulesOf(1_600));
  for (let times = 0; times < 40; times += 1) await limits.charge(PAYER, exact(8));
  const { buckets } = await limits.charge(PAYER, plain(0));
  limits.owe(PAYER, Math.round(buckets[0]!.remaining) - 60);
  await limits.charge(PAYER, plain(0));
  expect((await limits.charge(PAYER, plain(50))).charge.cost).toBe(50);
});

it("Credit is for operations of exact cost; others are always asked of Redis.", async () => {
  const opened = await openLimits(rulesOf(10_000));
  for (let times = 0; times < 50; times += 1) await opened.limits.charge(PAYER, exact(1));
  const before = opened.outcomes.get("admitted") ?? 0;
  for (let times = 0; times < 10; times += 1) await opened.limits.charge(PAYER, plain(1));
  expect(opened.outcomes.get("admitted")).toBe(before + 10);
});

it("One process holds at most a sixteenth of a bucket as credit.", async () => {
  const place = testRedis();
  const opened = await openLimits(rulesOf(1_600), place);
  const other = await openLimits(rulesOf(1_600), place);
  let used = 0;
  for (let times = 0; times < 150; times += 1) {
    await opened.limits.charge(PAYER, exact(5));
    used += 5;
    // One credit may be half used while the next is taken.
    expect(await remaining(other)).toBeGreaterThanOrEqual(1_600 - used - 150);
  }
});

it("The credit of a process refuses nobody there.", async () => {
  const opened = await openLimits(rulesOf(1_600));
  for (let times = 0; times < 100; times += 1) await opened.limits.charge(PAYER, exact(8));
  expect(await remaining(opened)).toBe(800);
  const paid = await opened.limits.charge(PAYER, plain(800));
  expect(Math.round(paid.buckets[0]!.remaining)).toBe(0);
  await expect(opened.limits.charge(PAYER, exact(1))).rejects.toMatchObject({
    code: "RATE_LIMITED",
  });
});

it("Charges at once that fit together are all let in, whatever is out as credit.", async () => {
  for (const [busy, count, cost] of [
    [4, 2, 52],
    [4, 4, 26],
    [10, 3, 20],
  ] as const) {
    const opened = await openLimits(rulesOf(1_600));
    const left = count * cost;
    await opened.limits.charge(PAYER, plain(1_600 - left - 8 * busy));
    for (let times = 0; times < busy; times += 1) await opened.limits.charge(PAYER, exact(8));
    const charges = Array.from({ length: count }, () => opened.limits.charge(PAYER, plain(cost)));
    expect((await Promise.allSettled(charges)).map(({ status }) => status)).toEqual(
      charges.map(() => "fulfilled"),
    );
    expect(await remaining(opened)).toBe(0);
  }
});

it.each([
  ["a user at another address", "viewer", { kind: "viewer", name: "7", block: "198.51.100.0/24" }],
  ["a neighbour of the same block", "block", { ...PAYER, name: "192.0.2.9" }],
] as const)("Credit refuses nothing to %s.", async (_, kind, other) => {
  const narrow = { burst: 1_600, perSecond: SLOW };
  const opened = await openLimits({ ...rulesOf(16_000), [kind]: narrow });
  const busy: Payer = kind === "viewer" ? { ...other, block: "192.0.2.0/24" } : PAYER;
  for (let times = 0; times < 100; times += 1) await opened.limits.charge(busy, exact(8));
  const { buckets } = await opened.limits.charge(other, plain(800));
  const bucket = buckets.find((one) => one.bucket === kind);
  expect(Math.round(bucket!.remaining)).toBe(0);
});

it("What was refused for the credit of another process is let in once that ends.", async () => {
  const place = testRedis();
  const [here, there] = [
    await openLimits(rulesOf(1_600), place),
    await openLimits(rulesOf(1_600), place),
  ];
  for (let times = 0; times < 100; times += 1) await there.limits.charge(PAYER, exact(8));
  await until("the rest to be let in", () => here.limits.charge(PAYER, plain(800)));
  expect(await remaining(here)).toBe(0);
});

it("A lost reply costs a payer one advance, not one for each charge.", async () => {
  const taken: number[] = [];
  const settled: number[] = [];
  const credits = new Credits({
    limiter: {
      consume: async (_, debits) => {
        taken.push(debits[0]!.cost);
        throw new RedisUnavailable(new Error("no reply"));
      },
      settle: async (_, __, surplus) => {
        settled.push(surplus);
        return [];
      },
    },
    breaker: { isClosed: () => true },
    rules: rulesOf(10_000),
    onGivenBack: () => {},
    nowMs: () => 5,
  });
  for (let times = 0; times < 50; times += 1) {
    credits.use(PAYER, 2);
    await new Promise(setImmediate);
  }
  expect(taken).toHaveLength(1);
  expect(settled).toEqual(taken);
});

it("A payer gets its whole bucket by credit, and is then refused.", async () => {
  const opened = await openLimits(rulesOf(1_000));
  let admitted = 0;
  for (;;) {
    const paid = await opened.limits.charge(PAYER, exact(7)).catch(() => null);
    if (!paid) break;
    admitted += 7;
  }
  expect(admitted).toBe(994);
});

it("The block of addresses pays for every address in it.", async () => {
  const rules = { ...rulesOf(10_000), block: { burst: 10_000, perSecond: SLOW } };
  const opened = await openLimits(rules);
  const payers = [1, 2, 3].map((host): Payer => ({ ...PAYER, name: `192.0.2.${host}` }));
  for (let times = 0; times < 60; times += 1)
    for (const payer of payers) await opened.limits.charge(payer, exact(3));
  await until("the rest to be given back", async () => {
    const { buckets } = await opened.limits.charge(PAYER, plain(0));
    return Math.round(buckets[1]!.remaining) === 10_000 - 540;
  });
});

it("A surplus of a charge by credit is given back to it, once.", async () => {
  const opened = await openLimits(rulesOf(10_000));
  for (let times = 0; times < 100; times += 1) await opened.limits.charge(PAYER, exact(1));
  const before = await remaining(opened);
  const paid = opened.limits.takeCredit(PAYER, exact(1));
  paid?.settle(0);
  paid?.settle(0);
  expect(await remaining(opened)).toBe(before);
});

it("A refused payer is asked for again each second, however often a request is checked.", async () => {
  const place = testRedis();
  const { limits } = await openLimits(rulesOf(10), place);
  await limits.charge(PAYER, plain(10));
  await expect(limits.charge(PAYER, plain(1))).rejects.toMatchObject({ code: "RATE_LIMITED" });
  const redis = place.connect();
  await redis.del(await redis.keys(`${place.prefix}*`));
  await until("room", () => {
    // As early rejections and admission do.
    limits.check(PAYER, plain(1));
    limits.check(PAYER, plain(1));
    return limits.charge(PAYER, plain(1));
  });
});

it("Without Redis credit lasts a moment, then the process counts alone.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const opened = await openLimits(rulesOf(10_000), { ...testRedis(), url: server.url });
  for (let times = 0; times < 100; times += 1) await opened.limits.charge(PAYER, exact(1));
  await server.stop();
  await until("the credit to end", () => opened.limits.takeCredit(PAYER, exact(0)) === null);
  for (let times = 0; times < 100; times += 1) await opened.limits.charge(PAYER, exact(1));
  expect(opened.limits.takeCredit(PAYER, exact(1))).toBeNull();
});

/** A cost that was let through, at some moment between these two, in ms. */
interface Admitted {
  readonly cost: number;
  readonly askedMs: number;
  readonly answeredMs: number;
}

interface Step {
  readonly process: number;
  readonly cost: number;
  readonly times: number;
  readonly takesCredit: boolean;
  readonly pauseMs: number;
}

async function play(processes: readonly Opened[], steps: readonly Step[]): Promise<Admitted[]> {
  const admitted: Admitted[] = [];
  for (const { process, cost, times, takesCredit, pauseMs } of steps) {
    for (let time = 0; time < times; time += 1) {
      const askedMs = performance.now();
      const charge = takesCredit ? exact(cost) : plain(cost);
      const paid = await processes[process]!.limits.charge(PAYER, charge).catch(() => null);
      if (paid) admitted.push({ cost, askedMs, answeredMs: performance.now() });
    }
    await pause(pauseMs);
  }
  return admitted;
}

/** By how much the fullest span exceeds burst + rate × its greatest length. */
function excess(admitted: readonly Admitted[], burst: number, perSecond: number): number {
  let worst = Number.NEGATIVE_INFINITY;
  for (const [from, { askedMs }] of admitted.entries()) {
    let cost = 0;
    for (const each of admitted.slice(from)) {
      cost += each.cost;
      const lengthMs = each.answeredMs - askedMs + CREDIT_MS;
      worst = Math.max(worst, cost - burst - (lengthMs * perSecond) / 1_000);
    }
  }
  return worst;
}

const step: fc.Arbitrary<Step> = fc.record({
  process: fc.nat(2),
  cost: fc.integer({ min: 1, max: 20 }),
  times: fc.integer({ min: 1, max: 30 }),
  takesCredit: fc.boolean(),
  pauseMs: fc.constantFrom(0, 0, 0, 1, 5, 30, 120),
});

it("No span of time admits more than burst + rate × (length + 0.1 s) in three processes.", async () => {
  const [burst, perSecond] = [400, 1_000];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const place = testRedis();
      const processes = await Promise.all(
        [0, 1, 2].map(() => openLimits(rulesOf(burst, perSecond), place)),
      );
      expect(excess(await play(processes, steps), burst, perSecond)).toBeLessThanOrEqual(0);
    }),
    { numRuns: drillSize({ sample: 15, full: 500 }), seed: 11 },
  );
});
