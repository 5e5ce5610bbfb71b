/** Calls: what a silent Redis costs each structure, how it comes back, and what is measured. */
import { describe, expect, it, onTestFinished } from "vitest";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import { dayOf } from "../../../src/domain/leaderboard/calendar.js";
import { createActivityStore } from "../../../src/redis/activity/activity.js";
import { createAttempts } from "../../../src/redis/attempts/attempts.js";
import { CART_DEADLINE_MS, createCartStore } from "../../../src/redis/cart/cart.js";
import { failedByAnother, type RedisCaller } from "../../../src/redis/client/call.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { createCounterStore } from "../../../src/redis/counters/counters.js";
import { createEventLogTail } from "../../../src/redis/event-log/tail.js";
import { createBoardStore } from "../../../src/redis/leaderboard/leaderboard.js";
import { createSessionStore } from "../../../src/redis/session/session.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";
import { startRedisServer } from "../../support/redis-server.js";
import { accountSettings } from "../../support/settings.js";
import { until } from "../../support/until.js";
import { add, user } from "../cart/cart.fixture.js";
import { newSession, SESSION_OPTIONS } from "../session/session.fixture.js";

const DEADLINE_MS = 200;
const keys = createKeys();

interface Call {
  readonly what: string;
  readonly failed: boolean;
}

async function open(deadlineMs = DEADLINE_MS) {
  const server = await startRedisServer();
  const connection = connectRedis({ url: server.url, role: "requests", log: testLog() });
  onTestFinished(async () => {
    connection.disconnect();
    await server.kill("SIGCONT").catch(() => {});
    await server.stop();
  });
  await whenReady(connection, 30_000);
  const calls: Call[] = [];
  const reports: (string | null)[] = [];
  const caller = testCaller(connection, {
    structure: "thing",
    deadlineMs,
    telemetry: { redisRoundTrip: (what, _, failed) => void calls.push({ what, failed }) },
    report: (reason) => void reports.push(reason),
  });
  return { server, connection, caller, calls, reports };
}

/** One call of each structure that refuses without Redis. */
const STRUCTURES: Readonly<Record<string, (caller: RedisCaller) => () => Promise<unknown>>> = {
  sessions: (caller) => {
    const store = createSessionStore(caller, keys, SESSION_OPTIONS);
    return () => store.create(newSession("tag", "a"));
  },
  carts: (caller) => {
    const store = createCartStore(caller, keys, { ttlMs: 3_600_000 });
    return () => store.change(user(1), add(1, 1));
  },
  leaderboards: (caller) => {
    const store = createBoardStore(caller, keys);
    return () => store.look(1);
  },
  attempts: (caller) => {
    const attempts = createAttempts(caller, keys, accountSettings().attempts);
    return () => attempts.signIn({ id: "a", account: "a@test.example", ip: "192.0.2.1" });
  },
  activity: (caller) => {
    const store = createActivityStore(caller, keys);
    return () => store.note(dayOf(Date.now()), 7);
  },
  counters: (caller) => {
    const store = createCounterStore(caller, keys, { viewMs: 60_000, operationMs: 60_000 });
    return () => store.unflushed();
  },
  "tails of logs": (caller) => {
    const tail = createEventLogTail(caller, keys, { entries: 10, keepMs: 60_000 });
    return () => tail.end({ kind: "notification", id: 1 }, "caller");
  },
};

describe("A Redis that falls silent", () => {
  it.each(Object.entries(STRUCTURES))(
    "A silent Redis costs one call of %s its deadline; later ones are refused.",
    async (_, structure) => {
      const { server, caller, calls, reports } = await open();
      const use = structure(caller);
      await use();
      calls.length = 0;
      await server.kill("SIGSTOP");
      const first = await use().catch((error: unknown) => error);
      expect(first).toBeInstanceOf(RedisUnavailable);
      expect(first).toMatchObject({ mayBeDone: true });
      expect(calls.map(({ failed }) => failed)).toEqual([true]);
      for (let times = 0; times < 20; times++)
        await expect(use()).rejects.toMatchObject({
          code: "SERVICE_UNAVAILABLE",
          mayBeDone: false,
        });
      // Nothing was sent for any of them.
      expect(calls).toHaveLength(1);
      expect(new Set(reports)).toEqual(
        new Set(["Redis does not answer; the test goes on without"]),
      );
      await server.kill("SIGCONT");
      await until("calls to be sent again", () =>
        use().then(
          () => true,
          () => false,
        ),
      );
      await until("the part to be well", () => reports.at(-1) === null);
    },
  );

  it("A silent Redis fails all calls under way with the first late one.", async () => {
    const { server, connection, caller } = await open(800);
    await server.kill("SIGSTOP");
    const calls = ["first", "second"].map((action) =>
      caller.call(action, () => connection.ping()).catch(failedByAnother),
    );
    // The second has a deadline of its own, and does not wait for it.
    expect(await Promise.all(calls)).toEqual([false, true]);
  });
});

it("A late change of a cart is sent again once Redis answers, and is done once.", async () => {
  const { server, caller } = await open(CART_DEADLINE_MS);
  const store = createCartStore(caller, keys, { ttlMs: 3_600_000 });
  await store.change(user(1), add(1, 1));
  await server.kill("SIGSTOP");
  const changing = store.change(user(1), add(1, 1));
  await until("the first try to be late", () => caller.isOpen());
  await server.kill("SIGCONT");
  expect(await changing).toMatchObject({ cart: { lines: [{ quantity: 2 }] } });
});

it("A refusal by Redis is an answer: the next call is sent.", async () => {
  const { connection, caller, calls } = await open();
  await connection.set("text", "a");
  await expect(caller.call("push", () => connection.lpush("text", "a"))).rejects.toMatchObject({
    code: "SERVICE_UNAVAILABLE",
    mayBeDone: false,
  });
  expect(await caller.call("ping", () => connection.ping())).toBe("PONG");
  expect(calls).toEqual([
    { what: "thing push", failed: true },
    { what: "thing ping", failed: false },
  ]);
});
