/**
 * No interleaving of reads, writes and stored answers shows a value that is older than its reader
 * has seen. The same history finds each guard that is taken away.
 */
import { expect, it } from "vitest";
import type { AnswerTrace, TraceAnswer } from "../../../src/domain/reading/answer-tags.js";
import type { OpenCache } from "../../../src/redis/cache/open.js";
import { StoredAnswers } from "../../../src/server/answers/stored-answers.js";
import { openTrusted, quiet } from "../../redis/cache/cache.fixture.js";
import { runInterleavings } from "../../redis/cache/interleavings.js";
import { testRedis } from "../../support/redis.js";

const ROUNDS = 10_000;
/** Room for the answers of all rounds. */
const STORE_BYTES = 64 * 1024 ** 2;

/** What stands between a cache and its store. */
type Guard = (trace: TraceAnswer, cache: OpenCache) => TraceAnswer;

const UNGUARDED: Guard = (trace) => trace;

async function run(
  rounds: number,
  guard = UNGUARDED,
  { localBytes }: { localBytes?: number } = {},
) {
  const place = testRedis();
  const options = localBytes === undefined ? {} : { localBytes };
  const caches = [
    await openTrusted(place, options),
    await openTrusted(place, options),
    await openTrusted(place, options),
  ];
  const outcomes = new Map<string, number>();
  const stores = caches.map(
    (cache) =>
      new StoredAnswers(
        {
          trace: guard(cache.traceAnswer, cache),
          count: (outcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1),
        },
        STORE_BYTES,
      ),
  );
  const verdict = await runInterleavings({ caches, stores, rounds, seed: 5 });
  await Promise.all(caches.map(quiet));
  return { ...verdict, outcomes };
}

it("Stored answers show nothing stale in 10,000 interleavings.", async () => {
  const { reads, stored, stale, outcomes } = await run(ROUNDS);
  expect(reads).toBeGreaterThan(50_000);
  expect(stored).toBeGreaterThan(10_000);
  expect(outcomes.get("changed")).toBeGreaterThan(100);
  expect(stale).toBe(0);
});

it("Answers that Redis confirms show nothing stale in 10,000 interleavings.", async () => {
  const { reads, stored, stale } = await run(ROUNDS, UNGUARDED, { localBytes: 0 });
  expect(reads).toBeGreaterThan(50_000);
  expect(stored).toBeGreaterThan(10_000);
  expect(stale).toBe(0);
});

/** Changes the tags that a trace ends with. */
const withTags =
  (change: (tags: Exclude<ReturnType<AnswerTrace["finish"]>, string>) => object): Guard =>
  (trace) =>
  () => {
    const real = trace();
    if (!real) return null;
    return {
      accept: (...accepted) => real.accept(...accepted),
      refuse: (reason) => real.refuse(reason),
      finish() {
        const tags = real.finish();
        return typeof tags === "string"
          ? tags
          : ({
              count: tags.count,
              judge: (seen: number) => tags.judge(seen),
              confirm: () => tags.confirm(),
              release: () => tags.release(),
              ...change(tags),
            } as typeof tags);
      },
    };
  };

const MUTANTS: Readonly<Record<string, Guard>> = {
  "judges no tag": withTags(() => ({ judge: () => "current" })),
  "begins to observe after the read": (trace) => () => {
    const accepted: Parameters<AnswerTrace["accept"]>[] = [];
    return {
      accept: (...values) => void accepted.push(values),
      refuse() {},
      finish() {
        const late = trace();
        if (!late) return "changed";
        for (const values of accepted) late.accept(...values);
        return late.finish();
      },
    };
  },
};

it("The history finds a store that Redis does not confirm.", async () => {
  const guard = withTags(() => ({ confirm: async () => "current" }));
  expect((await run(2_000, guard, { localBytes: 0 })).stale).toBeGreaterThan(0);
});

it.each(Object.entries(MUTANTS))("The history finds a store that %s.", async (_, guard) => {
  expect((await run(2_000, guard)).stale).toBeGreaterThan(0);
});
