/**
 * The rate limiter: a cost over time, counted by all
 * processes together.
 *
 * One STRING per bucket: a debt that time pays back at a
 * rate, up to a burst (GCRA). One script takes from all
 * buckets or from none. An operation takes its highest cost
 * before it runs. A STRING per hold remembers that. So the
 * rest is given back at most once. Nothing is given back that
 * time has paid already. Redis clock. All keys share the tag
 * `{limit}`, because a script touches any of them: in a
 * Cluster one node does all limiting.
 *
 * Promise: no span of time admits more cost than burst + rate
 * × its length. A debt for finished work is taken without
 * asking: it delays what follows. Redis down: everything
 * rejects with RedisUnavailable within a deadline;
 * services/rate-limit/limits.ts then counts alone.
 */
import type { Result } from "ioredis";
import type { Bucket } from "../../domain/limits.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    limiterConsume(
      numberOfKeys: number,
      ...keysAndArgs: (string | number)[]
    ): Result<(string | number)[], Context>;
    limiterSettle(
      numberOfKeys: number,
      ...keysAndArgs: (string | number)[]
    ): Result<string[], Context>;
  }
}

export interface Debit {
  readonly bucket: Bucket;
  readonly cost: number;
}

/**
 * What each bucket has left, and which one refused for how
 * long. `nowUs` is the Redis clock.
 */
export interface DebitResult {
  readonly nowUs: number;
  readonly remaining: readonly number[];
  readonly refused: { readonly bucket: Bucket; readonly waitMs: number } | null;
}

/**
 * The buckets of all processes. All methods reject with
 * RedisUnavailable.
 */
export type Limiter = ReturnType<typeof createLimiter>;

/**
 * @param keepMs how long a hold is remembered: longer than
 * any operation takes
 */
export function createLimiter(
  { connection, call }: RedisCaller,
  keys: Keys,
  { keepMs }: { readonly keepMs: number },
) {
  const keyOf = ({ kind, name }: Bucket): string => keys.limitBucket(kind, name);
  const take = (
    hold: string | null,
    keepMsOrOwed: number,
    takes: readonly Debit[],
  ): Promise<DebitResult> => {
    const named = [keys.limitHold(hold ?? "none"), ...takes.map(({ bucket }) => keyOf(bucket))];
    const args = takes.flatMap(({ bucket: { rule }, cost }) => [cost, rule.burst, rule.perSecond]);
    const reply = call("consume", () =>
      connection.limiterConsume(named.length, ...named, keepMsOrOwed, ...args),
    );
    return reply.then((answer) => toDebitResult(answer, takes));
  };
  return {
    /**
     * Takes all costs, or none. One EVALSHA, sent before this
     * returns; O(buckets). Without a hold nothing can be given
     * back.
     */
    consume: (hold: string | null, takes: readonly Debit[]): Promise<DebitResult> =>
      take(hold, hold === null ? 0 : keepMs, takes),
    /**
     * Takes all costs, also from a bucket that has less: its
     * debt then exceeds its burst. One EVALSHA; O(buckets).
     */
    owe: (takes: readonly Debit[]): Promise<DebitResult> => take(null, OWED, takes),
    /**
     * Gives back what a hold took too much of its first buckets.
     * One EVALSHA; once, and not at all for a hold that is
     * unknown. Resolves to what each bucket got.
     */
    async settle(hold: string, takes: readonly Debit[], surplus: number): Promise<number[]> {
      const named = [keys.limitHold(hold), ...takes.map(({ bucket }) => keyOf(bucket))];
      const rates = takes.map(({ bucket }) => bucket.rule.perSecond);
      const given = await call("settle", () =>
        connection.limiterSettle(named.length, ...named, surplus, ...rates),
      );
      return given.map(Number);
    },
  };
}

/** In place of the time that a hold is remembered. */
const OWED = -1;

function toDebitResult(answer: readonly (string | number)[], takes: readonly Debit[]): DebitResult {
  const [binding, nowUs, ...rest] = answer.map(Number) as [number, number, ...number[]];
  const bucket = takes[binding - 1]?.bucket;
  if (!bucket) return { nowUs, remaining: rest, refused: null };
  const [waitUs = 0, ...remaining] = rest;
  return { nowUs, remaining, refused: { bucket, waitMs: waitUs / 1_000 } };
}
