/**
 * Processes of their own that read through the cache of the built tree, steered through Redis: for
 * tests that kill one.
 */
import type { Redis } from "ioredis";
import { type NodeProcess, runModule } from "../../support/node-process.js";
import type { TestRedis } from "../../support/redis.js";

/**
 * What a reading process does. It prints "ready", waits for a "go", reads at once as often as it is
 * told, and prints the versions.
 */
export interface ReaderOptions {
  readonly reads: number;
  readonly leaseMs: number;
}

/**
 * Starts a process that reads thing 1. Each load counts itself, tells its process's name, and waits
 * until it is let go.
 */
export function startReader(
  redis: TestRedis,
  name: string,
  { reads, leaseMs }: ReaderOptions,
): NodeProcess {
  const settings = JSON.stringify({ url: redis.url, prefix: redis.prefix, name, reads, leaseMs });
  return runModule(`
    import { Redis } from "ioredis";
    import { ReadContext } from "./dist/domain/reading/read-context.js";
    import { createDegradations } from "./dist/domain/telemetry/degradations.js";
    import { silentTelemetry } from "./dist/domain/telemetry/telemetry.js";
    import { createKeys } from "./dist/redis/client/keys.js";
    import { openCache } from "./dist/redis/cache/open.js";

    const { url, prefix, name, reads, leaseMs } = ${settings};
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const cache = openCache({
      url,
      keys: createKeys(prefix),
      ttlMs: 60_000,
      graceMs: 60_000,
      leaseMs,
      deadlineMs: 10_000,
      tagTtlMs: 600_000,
      beatMs: 1_000,
      localBytes: 1_000_000,
      hasUnsentInvalidations: async () => false,
      telemetry: silentTelemetry,
      degradations: createDegradations(() => {}),
      log,
    });
    const redis = new Redis(url);
    const things = { name: "thing", cacheKeyOf: String, tagsOf: (id) => ["things", "thing:" + id] };
    const load = async (ids) => {
      const version = await redis.incr(prefix + "loads");
      await redis.rpush(prefix + "loading", name);
      await redis.duplicate().blpop(prefix + "gate:" + name, 0);
      return ids.map(() => version);
    };
    await new Promise((resolve) => cache.link.onVerified(resolve));
    console.log("ready");
    await redis.duplicate().blpop(prefix + "go:" + name, 0);
    const read = () => cache.readMany(things, [1], load, new ReadContext());
    const all = await Promise.all(Array.from({ length: reads }, read));
    console.log(JSON.stringify([...new Set(all.flat())]));
    await redis.duplicate().blpop(prefix + "end:" + name, 0);
  `);
}

/** Lets processes past a point: "go" begins their reads, "gate" ends their load. */
export async function signal(
  redis: Redis,
  prefix: string,
  point: "go" | "gate",
  names: readonly string[],
): Promise<void> {
  for (const name of names) await redis.rpush(`${prefix}${point}:${name}`, "1");
}

/** The name of the next process whose load has begun. */
export async function nextLoading(redis: Redis, prefix: string): Promise<string> {
  const [, name = ""] = (await redis.blpop(`${prefix}loading`, 30)) ?? [];
  return name;
}
