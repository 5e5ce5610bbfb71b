/**
 * Eight processes ask one bucket for more than it has, all at once: together they get what one
 * would have got.
 */
import { beforeAll, expect, it } from "vitest";
import { ensureBuilt, runModule } from "../../support/node-process.js";
import { testRedis } from "../../support/redis.js";

beforeAll(ensureBuilt);

const PROCESSES = 8;
const RULE = { burst: 100, perSecond: 250 };
const LASTS_MS = 1_500;

/**
 * What one process saw: how much it was let through, and when each of its questions was judged, by
 * the Redis clock.
 */
interface Observed {
  readonly admitted: number;
  readonly askedUs: readonly number[];
}

/**
 * What one bucket gives to questions of these moments. On a slow machine that is less than time has
 * paid in: a full bucket gains nothing.
 */
function givenBy({ burst, perSecond }: typeof RULE, askedUs: readonly number[]): number {
  let [debt, atUs, given] = [0, 0, 0];
  for (const nowUs of askedUs) {
    debt = Math.max(0, debt - ((nowUs - atUs) * perSecond) / 1e6);
    atUs = nowUs;
    if (debt + 1 > burst) continue;
    debt += 1;
    given += 1;
  }
  return given;
}

it("Eight processes get at most burst + ⌊rate × elapsed⌋, and what one bucket gives.", async () => {
  const { url, prefix, connect } = testRedis();
  const redis = connect();
  const settings = JSON.stringify({ url, prefix, rule: RULE, lastsMs: LASTS_MS });
  const processes = Array.from({ length: PROCESSES }, () =>
    runModule(`
      import { Redis } from "ioredis";
      import { createCallers } from "./dist/redis/client/call.js";
      import { connectRedis, whenReady } from "./dist/redis/client/connect.js";
      import { createKeys } from "./dist/redis/client/keys.js";
      import { createLimiter } from "./dist/redis/rate-limiter/limiter.js";

      const { url, prefix, rule, lastsMs } = ${settings};
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const connection = connectRedis({ url, role: "requests", log });
      await whenReady(connection, 30_000);
      const caller = createCallers({ connection }).of("rate-limiter", { deadlineMs: 10_000 });
      const limiter = createLimiter(caller, createKeys(prefix), { keepMs: 60_000 });
      const takes = [{ bucket: { kind: "viewer", name: "one", rule }, cost: 1 }];
      console.log("ready");
      const gate = new Redis(url);
      await gate.blpop(prefix + "go", 0);
      const askedUs = [];
      let admitted = 0;
      do {
        const answers = await Promise.all([1, 2].map(() => limiter.consume(null, takes)));
        for (const { refused, nowUs } of answers) {
          admitted += refused ? 0 : 1;
          askedUs.push(nowUs);
        }
      } while (askedUs.at(-1) - askedUs[0] < lastsMs * 1_000);
      console.log(JSON.stringify({ admitted, askedUs }));
      connection.disconnect();
      gate.disconnect();
    `),
  );
  for (const one of processes) expect(await one.nextLine()).toBe("ready");
  await redis.rpush(`${prefix}go`, ...processes.map(() => "1"));
  const seen = await Promise.all(
    processes.map(async (one) => JSON.parse(await one.nextLine()) as Observed),
  );
  const askedUs = seen.flatMap((one) => one.askedUs).sort((a, b) => a - b);
  const elapsedUs = askedUs.at(-1)! - askedUs[0]!;
  const admitted = seen.reduce((sum, one) => sum + one.admitted, 0);
  expect(elapsedUs).toBeGreaterThanOrEqual(LASTS_MS * 1_000);
  expect(admitted).toBeLessThanOrEqual(RULE.burst + Math.floor((RULE.perSecond * elapsedUs) / 1e6));
  expect(Math.abs(admitted - givenBy(RULE, askedUs))).toBeLessThanOrEqual(1);
});
