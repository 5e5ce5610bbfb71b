/** The store of answers: what it keeps, in which size, and what a flood does to it. */
import { expect, it } from "vitest";
import type {
  AnswerTags,
  AnswerVerdict,
  StoreRefusal,
} from "../../../src/domain/reading/answer-tags.js";
import { NO_TOKEN } from "../../../src/domain/reading/consistency-token.js";
import { AskedLately } from "../../../src/server/answers/asked-lately.js";
import { StoredAnswers } from "../../../src/server/answers/stored-answers.js";

const COST = { requested: 3, actual: 2 };

/** Tags that the test ends. */
interface Tags extends AnswerTags {
  verdict: AnswerVerdict;
  released: number;
}

function open(maxBytes = 100_000) {
  const made: Tags[] = [];
  const counts: Record<string, number> = {};
  let refusal: StoreRefusal | null = null;
  const store = new StoredAnswers(
    {
      trace: () => ({
        accept() {},
        refuse() {},
        finish() {
          if (refusal) return refusal;
          const tags: Tags = {
            count: 1,
            verdict: "current",
            released: 0,
            judge: () => tags.verdict,
            release() {
              tags.released += 1;
            },
          };
          made.push(tags);
          return tags;
        },
      }),
      count(outcome) {
        counts[outcome] = (counts[outcome] ?? 0) + 1;
      },
    },
    maxBytes,
  );
  const ask = (key: string, data: string | null = `{"data":{"${key}":1}`): string | null => {
    const found = store.find(key, NO_TOKEN);
    if (found) return found.data.toString();
    store.record(key)?.end(data === null ? null : { data, cost: COST });
    return null;
  };
  return { store, made, counts, ask, refuse: (reason: StoreRefusal) => (refusal = reason) };
}

it("The second asking within a minute stores an answer.", () => {
  const { store, counts, ask } = open();
  expect([ask("a"), ask("a"), ask("a")]).toEqual([null, null, '{"data":{"a":1}']);
  expect(counts).toEqual({ stored: 1, hit: 1 });
  expect(store.find("a", NO_TOKEN)?.cost).toEqual(COST);
});

it("An answer that ended is recorded by the next asking.", () => {
  const { made, ask } = open();
  for (let times = 0; times < 3; times += 1) ask("a");
  made[0]!.verdict = "outdated";
  expect([ask("a"), ask("a")]).toEqual([null, '{"data":{"a":1}']);
  expect(made.map(({ released }) => released)).toEqual([1, 0]);
});

it("An answer that is unknown to a client stays for all others.", () => {
  const { store, made, counts, ask } = open();
  for (let times = 0; times < 3; times += 1) ask("a");
  made[0]!.verdict = "unknown";
  expect([ask("a"), store.record("a")]).toEqual([null, null]);
  made[0]!.verdict = "current";
  expect(ask("a")).not.toBeNull();
  expect(counts.stored).toBe(1);
});

it("A failed execution and a refused trace store nothing, and are counted.", () => {
  const { store, made, counts, ask, refuse } = open();
  ask("a");
  ask("a", null);
  expect(made[0]!.released).toBe(1);
  refuse("stale");
  ask("a");
  expect(counts).toEqual({ failed: 1, stale: 1 });
  expect(store.size.answers).toBe(0);
});

it("Equal queries at once wait for one recording.", async () => {
  const { store } = open();
  store.record("a");
  const recording = store.record("a");
  expect(store.record("a")).toBeNull();
  let isDone = false;
  const waiting = store.recorded("a")?.then(() => {
    isDone = true;
  });
  await Promise.resolve();
  expect(isDone).toBe(false);
  recording?.end({ data: "{", cost: COST });
  await waiting;
  expect([isDone, store.recorded("a"), store.find("a", NO_TOKEN)?.data.toString()]).toEqual([
    true,
    undefined,
    "{",
  ]);
});

it("The store keeps what was used last, within its bytes.", () => {
  const { store, made, counts, ask } = open(5_000);
  const data = `{"data":"${"x".repeat(500)}"`;
  for (const key of ["a", "b", "c", "d", "e", "f"]) for (const _ of [1, 2]) ask(key, data);
  expect(store.size.bytes).toBeLessThanOrEqual(5_000);
  expect(ask("f")).toBe(data);
  expect(ask("a")).toBeNull();
  expect(counts.evicted).toBe(made.filter(({ released }) => released === 1).length);
});

it("An answer that is larger than the store is not kept, and its tags are released.", () => {
  const { store, made, counts, ask } = open(2_000);
  for (const _ of [1, 2]) ask("a", "x".repeat(3_000));
  expect([counts, store.size.answers, made[0]!.released]).toEqual([{ "too large": 1 }, 0, 1]);
});

it("A store without room records nothing.", () => {
  const { store, ask } = open(0);
  expect([ask("a"), ask("a"), store.record("a")]).toEqual([null, null, null]);
});

it("A flood of 100,000 distinct queries stores nearly nothing, and evicts nothing.", () => {
  const { store, counts, ask } = open();
  for (let times = 0; times < 2; times += 1) for (let id = 0; id < 20; id += 1) ask(`kept ${id}`);
  for (let id = 0; id < 100_000; id += 1) {
    ask(`flood ${id}`);
    if (id % 1_000 === 0) expect(ask(`kept ${id % 20}`)).not.toBeNull();
  }
  expect(counts.evicted ?? 0).toBe(0);
  expect(store.size.answers).toBeLessThan(20 + 200);
});

it("A key counts as asked for at least half a minute, and at most a minute.", () => {
  for (const startMs of [0, 1, 29_999]) {
    let nowMs = startMs;
    const asked = new AskedLately(() => nowMs);
    expect(asked.note("a")).toBe(false);
    nowMs += 29_999;
    expect(asked.note("a")).toBe(true);
    nowMs += 60_001;
    expect(asked.note("a")).toBe(false);
  }
});
