/**
 * What counting attempts promises: who guesses waits, whoever owns the account hardly does. Time
 * passes by moving what is counted back.
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import { DAY, HOUR, MINUTE } from "../../../src/domain/time/time.js";
import {
  type Attempt,
  type AttemptRules,
  createAttempts,
} from "../../../src/redis/attempts/attempts.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { testCaller } from "../../support/caller.js";
import { drillSize } from "../../support/drill.js";
import { testLog } from "../../support/log.js";
import { startRedisCluster, testRedis } from "../../support/redis.js";
import { startRedisServer } from "../../support/redis-server.js";

/** Waits so long that the time a test takes decides nothing. */
const RULES: AttemptRules = {
  windowMs: 10 * HOUR,
  placeFree: 3,
  accountFree: 6,
  delayMs: 10 * MINUTE,
  maxDelayMs: 1 * HOUR,
  addressMax: 8,
  networkMax: 12,
  knownMs: 30 * DAY,
  signUp: { windowMs: HOUR, addressMax: 2, networkMax: 3 },
};

async function open(rules: Partial<AttemptRules> = {}, url = testRedis().url) {
  const { keys } = testRedis();
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const attempts = createAttempts(testCaller(connection), keys, { ...RULES, ...rules });
  const admin = connection as Redis;
  const buckets = async () => (await admin.keys(keys.attempts("*", "*", "*"))).sort();
  return {
    attempts,
    close: () => connection.disconnect(),
    /** What is counted, by key. */
    async counted(): Promise<Record<string, string[]>> {
      const entries = await Promise.all(
        (await buckets()).map(
          async (key) => [key, await admin.zrange(key, 0, -1, "WITHSCORES")] as const,
        ),
      );
      return Object.fromEntries(entries);
    },
    /** Lets time pass. */
    async pass(ms: number): Promise<void> {
      for (const key of await buckets()) {
        const left = (await admin.pttl(key)) - ms;
        if (left <= 0) await admin.del(key);
        else {
          const members = await admin.zrange(key, 0, -1);
          for (const member of members) await admin.zincrby(key, -ms, member);
          await admin.pexpire(key, left);
        }
      }
    },
  };
}

type Opened = Awaited<ReturnType<typeof open>>;
const attempt = (values: Partial<Attempt> = {}): Attempt => ({
  id: randomUUID(),
  account: "ada@test.example",
  ip: "192.0.2.1",
  ...values,
});
/** Fails so often from one place after the other, each in a network of its own. */
async function failFromEverywhere({ attempts }: Opened, times: number): Promise<void> {
  for (let at = 0; at < times; at++)
    expect(await attempts.signIn(attempt({ ip: `10.0.${at}.1` }))).toBeNull();
}

describe("an account, from one place", () => {
  it("An account takes some failures at once, then one per wait, doubled to a bound.", async () => {
    const { attempts, pass } = await open();
    for (let failure = 0; failure < 3; failure++)
      expect(await attempts.signIn(attempt())).toBeNull();
    for (const minutes of [10, 20, 40, 60, 60]) {
      const hold = await attempts.signIn(attempt());
      expect(hold?.bucket).toBe("place");
      expect(Math.ceil((hold?.waitMs ?? 0) / MINUTE)).toBe(minutes);
      await pass((minutes - 1) * MINUTE);
      expect(await attempts.signIn(attempt())).not.toBeNull();
      await pass(MINUTE);
      expect(await attempts.signIn(attempt())).toBeNull();
    }
  });

  it("Failures are forgotten one by one as they leave the window.", async () => {
    const { attempts, pass } = await open();
    for (const hours of [9, 2, 0]) {
      expect(await attempts.signIn(attempt())).toBeNull();
      await pass(hours * HOUR);
    }
    expect([await attempts.signIn(attempt()), await attempts.signIn(attempt())]).toMatchObject([
      null,
      { bucket: "place" },
    ]);
  });

  it("Simultaneous attempts pass in no greater number than allowed.", async () => {
    const { attempts } = await open();
    const holds = await Promise.all(Array.from({ length: 50 }, () => attempts.signIn(attempt())));
    expect(holds.filter((hold) => hold === null)).toHaveLength(3);
  });

  it("A refused attempt is not counted.", async () => {
    const { attempts, counted } = await open();
    for (let failure = 0; failure < 3; failure++) await attempts.signIn(attempt());
    const before = await counted();
    for (let refused = 0; refused < 20; refused++)
      expect(await attempts.signIn(attempt())).not.toBeNull();
    expect(await counted()).toEqual(before);
  });

  it("An attempt whose reply was lost counts once and passes again.", async () => {
    const { attempts, counted } = await open();
    const last = attempt();
    for (const one of [attempt(), attempt(), last]) await attempts.signIn(one);
    const before = await counted();
    expect([await attempts.signIn(last), await attempts.signIn(attempt())]).toMatchObject([
      null,
      { bucket: "place" },
    ]);
    expect(await counted()).toEqual(before);
  });

  it("A right password forgets the account's failures and nothing else.", async () => {
    const { attempts } = await open();
    for (let round = 0; round < 3; round++) {
      await attempts.signIn(attempt());
      await attempts.signIn(attempt());
      const right = attempt();
      expect(await attempts.signIn(right)).toBeNull();
      await attempts.forgive(right);
      await attempts.forgive(right);
    }
    // Six failures stand against the address; the three that were right do not.
    await attempts.signIn(attempt({ account: "b" }));
    expect(await attempts.signIn(attempt({ account: "c" }))).toBeNull();
    expect(await attempts.signIn(attempt({ account: "d" }))).toMatchObject({ bucket: "address" });
  });
});

describe("an account that is attacked from everywhere", () => {
  it("An attacked account makes unknown places wait, at most the longest wait.", async () => {
    const opened = await open();
    await failFromEverywhere(opened, 6);
    for (let more = 0; more < 8; more++) {
      const hold = await opened.attempts.signIn(attempt());
      expect(hold).toMatchObject({ bucket: "account" });
      expect(hold?.waitMs).toBeLessThanOrEqual(RULES.maxDelayMs);
      await opened.pass(RULES.maxDelayMs);
      expect(await opened.attempts.signIn(attempt({ ip: `10.1.${more}.1` }))).toBeNull();
    }
  });

  it("An attacked account's owner gets in from known places and signed-in devices.", async () => {
    const opened = await open();
    const home = attempt();
    await opened.attempts.signIn(home);
    await opened.attempts.forgive(home);
    await failFromEverywhere(opened, 6);
    expect(await opened.attempts.signIn(attempt({ ip: "198.51.100.1" }))).toMatchObject({
      bucket: "account",
    });
    expect(await opened.attempts.signIn(attempt())).toBeNull();
    expect(
      await opened.attempts.signIn(attempt({ ip: "198.51.100.1", sessionId: "session" })),
    ).toBeNull();
  });

  it("A stolen session does not help to guess the password.", async () => {
    const { attempts } = await open();
    const stolen = () =>
      attempt({ ip: `10.0.${Math.floor(Math.random() * 250)}.1`, sessionId: "session" });
    for (let failure = 0; failure < 3; failure++)
      expect(await attempts.signIn(stolen())).toBeNull();
    expect(await attempts.signIn(stolen())).toMatchObject({ bucket: "place" });
  });
});

describe("an address that fails at many accounts", () => {
  const one = (at: number, ip = "192.0.2.1") => attempt({ account: `account-${at}`, ip });

  it("An address is blocked for a window after its last failure.", async () => {
    const { attempts, pass } = await open();
    for (let at = 0; at < 7; at++) expect(await attempts.signIn(one(at))).toBeNull();
    await pass(HOUR);
    expect(await attempts.signIn(one(7))).toBeNull();
    const hold = await attempts.signIn(one(8));
    expect([hold?.bucket, Math.ceil((hold?.waitMs ?? 0) / HOUR)]).toEqual(["address", 10]);
    expect(await attempts.signIn(one(8, "192.0.2.2"))).toBeNull();
    await pass(RULES.windowMs - MINUTE);
    expect(await attempts.signIn(one(8))).toMatchObject({ bucket: "address" });
    await pass(MINUTE);
    expect(await attempts.signIn(one(8))).toBeNull();
  });

  it("An address that changes within its network stays blocked.", async () => {
    const { attempts } = await open();
    for (let at = 0; at < 12; at++)
      expect(await attempts.signIn(one(at, `192.0.2.${at}`))).toBeNull();
    expect(await attempts.signIn(one(12, "192.0.2.99"))).toMatchObject({ bucket: "network" });
    expect(await attempts.signIn(one(12, "192.0.3.99"))).toBeNull();
  });

  it("An address counts as one wherever it moves in its /64.", async () => {
    const { attempts } = await open();
    for (let at = 0; at < 8; at++)
      expect(await attempts.signIn(one(at, `2001:db8::${at}`))).toBeNull();
    expect(await attempts.signIn(one(8, "2001:db8::ffff:1"))).toMatchObject({ bucket: "address" });
  });
});

describe("signing up", () => {
  it("An address and its network sign up so often per window; refusals do not count.", async () => {
    const { attempts, counted, pass } = await open();
    const from = (ip: string) => attempts.signUp({ id: randomUUID(), ip });
    expect([await from("192.0.2.1"), await from("192.0.2.1")]).toEqual([null, null]);
    const before = await counted();
    expect(await from("192.0.2.1")).toMatchObject({ bucket: "address" });
    expect(await counted()).toEqual(before);
    expect([await from("192.0.2.2"), await from("192.0.2.3")]).toMatchObject([
      null,
      { bucket: "network" },
    ]);
    expect(await from("198.51.100.1")).toBeNull();
    await pass(HOUR);
    expect(await from("192.0.2.1")).toBeNull();
  });

  it("Parallel sign-ups get no more in, and a repeated one counts once.", async () => {
    const { attempts } = await open();
    const twice = { id: randomUUID(), ip: "192.0.2.1" };
    expect([await attempts.signUp(twice), await attempts.signUp(twice)]).toEqual([null, null]);
    const holds = await Promise.all(
      Array.from({ length: 20 }, () => attempts.signUp({ id: randomUUID(), ip: "192.0.2.1" })),
    );
    expect(holds.filter((hold) => hold === null)).toHaveLength(1);
    expect(await attempts.signUp(twice)).toBeNull();
  });
});

describe("any order of attempts", () => {
  /**
   * Nothing here is a multiple of what passes, so that the milliseconds a test takes decide
   * nothing.
   */
  const rules = { ...RULES, windowMs: 20_500_000, delayMs: 1_234_567, maxDelayMs: 5_555_555 };
  const STEP_MS = 1_000_000;
  const step = fc.record({
    account: fc.constantFrom("a", "b"),
    ip: fc.constantFrom("192.0.2.1", "192.0.2.2", "198.51.100.1"),
    right: fc.boolean(),
    passes: fc.constantFrom(0, 0, 0, 1, 2, 7, 25),
  });

  /** The rules in a few lines: lists of times, a clock of its own. */
  function createModel() {
    const times = new Map<string, number[]>();
    const known = new Set<string>();
    let nowMs = 0;
    const limits = [
      [rules.placeFree, rules.delayMs, rules.maxDelayMs],
      [rules.accountFree, rules.delayMs, rules.maxDelayMs],
      [rules.addressMax, rules.windowMs, rules.windowMs],
      [rules.networkMax, rules.windowMs, rules.windowMs],
    ] as const;
    const waitOf = (key: string, [free, first, most]: (typeof limits)[number]): number => {
      const list = times.get(key) ?? [];
      return list.length < free
        ? 0
        : (list.at(-1) ?? 0) + Math.min(first * 2 ** (list.length - free), most) - nowMs;
    };
    const add = (key: string): void => {
      const recent = (times.get(key) ?? []).filter((at) => at > nowMs - rules.windowMs);
      times.set(key, [...recent, nowMs]);
    };
    return {
      pass(ms: number) {
        nowMs += ms;
        for (const [key, list] of times)
          if ((list.at(-1) ?? 0) + rules.windowMs <= nowMs) times.delete(key);
      },
      attempt(account: string, ip: string, right: boolean): boolean {
        const [place, network] = [`${account} ${ip}`, ip.replace(/\d+$/, "net")];
        const asked = [place, account, ip, network].filter(
          (key) => key !== account || !known.has(place),
        );
        const rulesOf = new Map(
          [place, account, ip, network].map((key, at) => [
            key,
            limits[at] as (typeof limits)[number],
          ]),
        );
        if (asked.some((key) => waitOf(key, rulesOf.get(key) as (typeof limits)[number]) > 0))
          return false;
        for (const key of asked) add(key);
        if (!right) return true;
        for (const key of [place, account]) times.delete(key);
        for (const key of [ip, network]) times.get(key)?.pop();
        known.add(place);
        return true;
      },
    };
  }

  it("Attempts in any order pass and fail as the model says.", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const { attempts, pass, close } = await open(rules);
        const model = createModel();
        for (const { account, ip, right, passes } of steps) {
          const one = attempt({ account, ip });
          const hold = await attempts.signIn(one);
          if (hold === null && right) await attempts.forgive(one);
          expect(hold === null).toBe(model.attempt(account, ip, right));
          await pass(passes * STEP_MS);
          model.pass(passes * STEP_MS);
        }
        close();
      }),
      { seed: 20_261_125, numRuns: drillSize({ sample: 20, full: 500 }) },
    );
  });
});

describe("in a Cluster", () => {
  it("Every script of attempts keeps to one slot of a Cluster.", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const { attempts } = await open({}, cluster.url);
    for (let failure = 0; failure < 3; failure++)
      expect(await attempts.signIn(attempt())).toBeNull();
    expect(await attempts.signIn(attempt())).toMatchObject({ bucket: "place" });
    await attempts.forgive(attempt());
    expect(await attempts.signIn(attempt())).toBeNull();
    expect(await attempts.signUp(attempt())).toBeNull();
  });
});

describe("without Redis", () => {
  it("Without Redis every attempt rejects, silent or full.", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const { attempts } = await open({}, server.url);
    const full = new Redis(server.url);
    onTestFinished(() => full.disconnect());
    await full.config("SET", "maxmemory", "1");
    await expect(attempts.signIn(attempt())).rejects.toBeInstanceOf(RedisUnavailable);
    await expect(attempts.signUp(attempt())).rejects.toBeInstanceOf(RedisUnavailable);
    await full.config("SET", "maxmemory", "0");
    expect(await attempts.signIn(attempt())).toBeNull();
    await server.kill();
    await expect(attempts.signIn(attempt())).rejects.toBeInstanceOf(RedisUnavailable);
    await expect(attempts.forgive(attempt())).rejects.toBeInstanceOf(RedisUnavailable);
  });
});
