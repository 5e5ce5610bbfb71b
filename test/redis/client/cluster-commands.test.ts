/**
 * Commands on a Cluster: each goes by its own key, whatever else is sent in the same turn, and
 * while slots move.
 */
import * as fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  connectRedis,
  inOneTurn,
  linksOf,
  type RedisConnection,
  whenReady,
} from "../../../src/redis/client/connect.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { createLimiter } from "../../../src/redis/rate-limiter/limiter.js";
import { createSessionStore } from "../../../src/redis/session/session.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";
import { type RedisCluster, startRedisCluster } from "../../support/redis-cluster.js";
import { bucketOf } from "../rate-limiter/limiter.fixture.js";
import { newSession, SESSION_OPTIONS } from "../session/session.fixture.js";

const HANG_MS = 10_000;
const keys = createKeys();
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

async function open() {
  const connection = connectRedis({ url: cluster.url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, HANG_MS);
  const caller = testCaller(connection, { deadlineMs: HANG_MS });
  const limiter = createLimiter(caller, keys, { keepMs: HANG_MS });
  return {
    connection,
    limiter,
    sessions: createSessionStore(caller, keys, SESSION_OPTIONS),
  };
}
type Opened = Awaited<ReturnType<typeof open>>;

/** No hold has this id, so a key of its script is missing. */
const NEVER_USED = 20_000;

/** Each is one command, or several, for a key of its own. */
const COMMANDS: { readonly [name: string]: (on: Opened, id: number) => Promise<unknown> } = {
  "one bucket": ({ limiter }, id) =>
    limiter.consume(null, [{ bucket: bucketOf(`one-${id}`, 1e6, 1), cost: 1 }]),
  "several buckets": ({ limiter }, id) =>
    limiter.consume(
      `hold-${id}`,
      Array.from({ length: 1 + (id % 4) }, (_, at) => ({
        bucket: bucketOf(`of-${at}`, 1e6, 1),
        cost: 1,
      })),
    ),
  "a refund": ({ limiter }, id) =>
    limiter.settle(`hold-${id}`, [{ bucket: bucketOf("of-0", 1e6, 1), cost: 1 }], 1),
  "a session": ({ sessions }, id) => sessions.find(`user-${id}`, "session"),
  "a session made": ({ sessions }, id) =>
    sessions.create(newSession(`user-${id}`, `session-${id}`)),
  "a value": ({ connection }, id) =>
    connection.set(keys.cacheEntry(`thing:${id}`), id, "PX", 60_000),
  "values of three nodes": ({ connection }, id) =>
    inOneTurn(connection, () =>
      Promise.all(
        [id, id + 1, id + 2].map((one) => connection.get(keys.cacheEntry(`thing:${one}`))),
      ),
    ),
  "a publication": ({ connection }, id) => connection.publish(keys.topic("product", id), "1"),
  "a ping": ({ connection }) => connection.ping(),
};

describe("Commands of one turn", () => {
  it("All commands of a turn are answered, whichever nodes they go to.", async () => {
    const on = await open();
    const command = fc.tuple(fc.constantFrom(...Object.keys(COMMANDS)), fc.nat({ max: 10_000 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 1, maxLength: 60 }),
        fc.boolean(),
        async (sent, together) => {
          const send = () => Promise.all(sent.map(([name, id]) => COMMANDS[name]?.(on, id)));
          await (together ? inOneTurn(on.connection, send) : send());
        },
      ),
      { numRuns: 60, seed: 9 },
    );
  });

  it("Commands of one turn reach each node in one write.", async () => {
    const { connection, ...on } = await open();
    const sent = Array.from({ length: 60 }, (_, id) => id);
    const send = () =>
      Promise.all(sent.map((id) => COMMANDS["a session"]?.({ connection, ...on }, id)));
    await send();
    const before = await readsOf(connection);
    await inOneTurn(connection, () => send());
    const after = await readsOf(connection);
    // The second INFO is a read of its own.
    expect(after.map((count, node) => count - (before[node] ?? 0) - 1)).toEqual([1, 1, 1]);
  });
});

/** How often each node has read from a socket. */
const readsOf = (connection: RedisConnection): Promise<number[]> =>
  Promise.all(
    linksOf(connection, "master").map(async (link) =>
      Number(/total_reads_processed:(\d+)/.exec(await link.info("stats"))?.[1]),
    ),
  );

describe("A slot that moves to another node", () => {
  it("A moving slot fails no command of one key, and none afterwards.", async () => {
    const on = await open();
    const id = 4_711;
    const key = keys.cacheEntry(`thing:${id}`);
    const { slot, target } = await moveOf(key);
    let [isMoving, answered] = [true, 0];
    const traffic = async () => {
      while (isMoving) {
        const others = Array.from({ length: 20 }, (_, at) => COMMANDS["a session"]?.(on, at));
        await inOneTurn(on.connection, () =>
          Promise.all([on.connection.set(key, "1"), on.connection.get(key), ...others]),
        );
        answered += 1;
      }
    };
    const halfway = async () => {
      const from = answered;
      while (answered < from + 5) await on.connection.get(key);
    };
    const running = Promise.all([traffic(), traffic()]);
    await cluster.migrate(slot, target, halfway);
    await halfway();
    isMoving = false;
    await running;
    expect(await on.connection.get(key)).toBe("1");
  });

  it("A moving slot delays a script of several keys and no other command.", async () => {
    const on = await open();
    await COMMANDS["several buckets"]?.(on, 1);
    const { slot, target } = await moveOf(keys.limitHold("any"));
    await cluster.migrate(slot, target, async () => {
      const [moving, ...others] = await inOneTurn(on.connection, () =>
        Promise.allSettled([
          COMMANDS["several buckets"]?.(on, NEVER_USED),
          ...[1, 2, 3].map((id) => COMMANDS["a session"]?.(on, id)),
        ]),
      );
      expect(moving?.status).toBe("rejected");
      expect(others.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    });
    for (let id = 10; id < 20; id++) await COMMANDS["several buckets"]?.(on, id);
  });
});

it("Scripts that a node has forgotten are sent again.", async () => {
  const on = await open();
  const run = () =>
    Promise.all(
      Array.from({ length: 40 }, (_, id) =>
        Promise.all([COMMANDS["several buckets"]?.(on, id), COMMANDS["a session"]?.(on, id)]),
      ),
    );
  await run();
  for (const { url } of cluster.nodes) {
    const admin = new Redis(url);
    await admin.script("FLUSH");
    admin.disconnect();
  }
  await run();
});

type SlotRange = [from: number, to: number, [host: string, port: number]];

/** The slot of a key, and a node that does not hold it. */
async function moveOf(key: string) {
  const slot = await onFirst((link) => link.cluster("KEYSLOT", key));
  const ranges = (await onFirst((link) => link.cluster("SLOTS"))) as unknown as SlotRange[];
  const owner = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
  const target = cluster.nodes.find(({ port }) => port !== owner);
  if (!target) throw new Error("the Cluster has one node");
  return { slot, target };
}

async function onFirst<T>(ask: (link: Redis) => Promise<T>): Promise<T> {
  const link = new Redis(cluster.nodes[0]?.url ?? "");
  try {
    return await ask(link);
  } finally {
    link.disconnect();
  }
}
