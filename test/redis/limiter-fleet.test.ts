/** Eight processes ask one bucket for more than it has, all at once: together they get what one would have got. */
import { beforeAll, expect, it } from "vitest";
import { ensureBuilt, runModule } from "../support/node-process.js";
import { testRedis } from "../support/redis.js";

beforeAll(ensureBuilt);

const PROCESSES = 8;
const RULE = { burst: 100, perSecond: 250 };
const LASTS_MS = 1_500;

/** What one process saw: how much it was let through, and when it asked first and last, by the Redis clock. */
interface Seen {
  readonly admitted: number;
  readonly firstUs: number;
  readonly lastUs: number;
}

it("admits at most burst + ⌊rate × elapsed⌋ on eight processes, and at most one less", async () => {
  const { url, prefix, connect } = testRedis();
  const redis = connect();
  const settings = JSON.stringify({ url, prefix, rule: RULE, lastsMs: LASTS_MS });
  const processes = Array.from({ length: PROCESSES }, () =>
    runModule(`
      import { Redis } from "ioredis";
      import { connectRedis, whenReady } from "./dist/redis/client.js";
      import { createKeys } from "./dist/redis/keys.js";
      import { createLimiter } from "./dist/redis/limiter.js";

      const { url, prefix, rule, lastsMs } = ${settings};
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const connection = connectRedis({ url, role: "requests", log });
      await whenReady(connection, 30_000);
      const limiter = createLimiter(connection, createKeys(prefix), { keepMs: 60_000, deadlineMs: 10_000 });
      const takes = [{ bucket: { kind: "viewer", name: "one", rule }, cost: 1 }];
      console.log("ready");
      const gate = new Redis(url);
      await gate.blpop(prefix + "go", 0);
      let [admitted, firstUs, lastUs, isEmpty] = [0, Infinity, 0, false];
      // To the end means until it is refused: what nobody asked for, nobody was given.
      do {
        isEmpty = false;
        for (const { refused, nowUs } of await Promise.all([1, 2].map(() => limiter.consume(null, takes)))) {
          admitted += refused ? 0 : 1;
          isEmpty ||= refused !== null;
          firstUs = Math.min(firstUs, nowUs);
          lastUs = Math.max(lastUs, nowUs);
        }
      } while (!isEmpty || lastUs - firstUs < lastsMs * 1_000);
      console.log(JSON.stringify({ admitted, firstUs, lastUs }));
      connection.disconnect();
      gate.disconnect();
    `),
  );
  for (const one of processes) expect(await one.nextLine()).toBe("ready");
  await redis.rpush(`${prefix}go`, ...processes.map(() => "1"));
  const seen = await Promise.all(processes.map(async (one) => JSON.parse(await one.nextLine()) as Seen));
  const elapsedUs = Math.max(...seen.map(({ lastUs }) => lastUs)) - Math.min(...seen.map(({ firstUs }) => firstUs));
  const most = RULE.burst + Math.floor((RULE.perSecond * elapsedUs) / 1e6);
  const admitted = seen.reduce((sum, one) => sum + one.admitted, 0);
  expect(elapsedUs).toBeGreaterThanOrEqual(LASTS_MS * 1_000);
  expect(admitted).toBeLessThanOrEqual(most);
  expect(admitted).toBeGreaterThanOrEqual(most - 1);
});
