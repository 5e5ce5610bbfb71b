/** The store of answers: what it keeps, in which size, and what a flood does to it. */
import { randomBytes } from "node:crypto";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import type {
  AnswerTags,
  AnswerVerdict,
  StoreRefusal,
} from "../../../src/domain/reading/answer-tags.js";
import { NO_TOKEN } from "../../../src/domain/reading/consistency-token.js";
import { AskedLately } from "../../../src/server/answers/asked-lately.js";
import { findAnswer } from "../../../src/server/answers/find-answer.js";
import { StoredAnswers } from "../../../src/server/answers/stored-answers.js";
import { until } from "../../support/until.js";

const COST = { requested: 3, actual: 2 };

/** Tags that the test ends. */
interface Tags extends AnswerTags {
  verdict: AnswerVerdict;
  /** Whether only Redis tells the verdict. */
  isAsked: boolean;
  released: number;
}

function open(maxBytes = 100_000) {
  const made: Tags[] = [];
  const counts: Record<string, number> = {};
  let refusal: StoreRefusal | null = null;
  let isOn = true;
  const store = new StoredAnswers(
    {
      trace: () =>
        isOn
          ? {
              accept() {},
              refuse() {},
              finish() {
                if (refusal) return refusal;
                const tags: Tags = {
                  count: 1,
                  verdict: "current",
                  released: 0,
                  judge: () => (tags.isAsked ? "unconfirmed" : tags.verdict),
                  isAsked: false,
                  confirm: async () => tags.verdict,
                  release() {
                    tags.released += 1;
                  },
                };
                made.push(tags);
                return tags;
              },
            }
          : null,
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
  return {
    store,
    made,
    counts,
    ask,
    refuse: (reason: StoreRefusal | null) => {
      refusal = reason;
    },
    turn: (on: boolean) => {
      isOn = on;
    },
  };
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
  for (const _ of [1, 2]) ask("b");
  expect(counts).toEqual({ failed: 1, stale: 1 });
  expect(store.size.answers).toBe(0);
});

it("What cannot be stored is not recorded again, and no equal query waits for it.", () => {
  for (const lasting of ["tags", "uncached", "untagged"] as const) {
    const { store, ask, refuse } = open();
    refuse(lasting);
    for (const _ of [1, 2]) ask("a");
    expect([lasting, store.record("a"), store.recorded("a")]).toEqual([lasting, null, undefined]);
  }
  const { ask, refuse } = open();
  refuse("changed");
  for (const _ of [1, 2]) ask("a");
  refuse(null);
  expect([ask("a"), ask("a")]).toEqual([null, '{"data":{"a":1}']);
});

it("Nothing is recorded while no answer can be stored.", () => {
  const { store, ask, turn } = open();
  turn(false);
  expect([ask("a"), ask("a"), store.record("a"), store.recorded("a")]).toEqual([
    null,
    null,
    null,
    undefined,
  ]);
});

it("A query waits a moment for an equal one, and not for as long as that takes.", async () => {
  const { store } = open();
  store.record("a");
  const recording = store.record("a");
  expect(await findAnswer(store, "a", NO_TOKEN)).toBeNull();
  const waiting = findAnswer(store, "a", NO_TOKEN);
  recording?.end({ data: "{", cost: COST });
  expect((await waiting)?.answer.data.toString()).toBe("{");
});

it("An answer that Redis has to confirm counts as a hit, and goes once it is outdated.", async () => {
  const { store, made, counts } = open();
  store.record("a");
  store.record("a")?.end({ data: "{", cost: COST });
  const [tags] = made;
  tags!.isAsked = true;
  const confirmed = async () => (await findAnswer(store, "a", NO_TOKEN))?.isCurrent;
  expect([store.find("a", NO_TOKEN), store.costOf("a")]).toEqual([null, null]);
  expect([await confirmed(), counts.hit]).toEqual([true, 1]);
  tags!.verdict = "unknown";
  expect([await confirmed(), store.size.answers]).toEqual([false, 1]);
  tags!.verdict = "outdated";
  expect([await confirmed(), store.size.answers, tags!.released]).toEqual([false, 0, 1]);
  expect([await confirmed(), counts.hit]).toEqual([undefined, 1]);
  // It was asked for until now.
  expect(store.record("a")).not.toBeNull();
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
  const { store, made, counts, ask } = open(200_000);
  const data = `{"data":"${"x".repeat(5_000)}"`;
  for (let id = 0; id < 40; id += 1) for (const _ of [1, 2]) ask(`k${id}`, data);
  expect(store.size.bytes).toBeLessThanOrEqual(200_000);
  expect([ask("k0"), ask("k20")]).toEqual([null, data]);
  expect(counts.evicted).toBeGreaterThan(0);
  expect(made.filter(({ released }) => released === 1)).toHaveLength(
    (counts.evicted ?? 0) + (counts.full ?? 0),
  );
});

it("An answer that is larger than its share is not kept, and its tags are released.", () => {
  for (const [maxBytes, size] of [
    [2_000, 3_000],
    [32_000_000, 600_000],
  ] as const) {
    const { store, made, counts, ask } = open(maxBytes);
    for (const _ of [1, 2]) ask("a", "x".repeat(size));
    expect([counts, store.size.answers, made[0]!.released]).toEqual([{ "too large": 1 }, 0, 1]);
  }
});

it("A flood that asks twice replaces at most an eighth of a full store in a minute.", () => {
  const { store, counts, ask } = open(1_000_000);
  const data = "x".repeat(1_200);
  const keys = Array.from({ length: 480 }, (_, index) => `kept ${index}`);
  for (const key of keys) for (const _ of [1, 2]) ask(key, data);
  const before = store.size.answers;
  for (let id = 0; id < 1_000; id += 1) for (const _ of [1, 2]) ask(`flood ${id}`, data);
  expect(counts.evicted).toBeLessThan(before / 6);
  expect(counts.full).toBeGreaterThan(800);
});

/** Waits for the codings that are being made. */
const inCoding = (store: StoredAnswers, key: string, coding: "br" | "gzip") =>
  until(`an answer in ${coding}`, () => {
    const found = store.find(key, NO_TOKEN);
    return found && store.coded(key, found, coding);
  });

it("A coding is made at the third asking, and counts in the bytes of the store.", async () => {
  const { store, ask, made } = open(1_000_000);
  const data = `{"data":{"text":"${"x".repeat(20_000)}"}`;
  for (const _ of [1, 2]) ask("key", data);
  const before = store.size.bytes;
  const found = store.find("key", NO_TOKEN)!;
  for (const _ of [1, 2, 3]) expect(store.coded("key", found, "gzip")).toBeNull();
  const [gzip, br] = [await inCoding(store, "key", "gzip"), await inCoding(store, "key", "br")];
  expect(gunzipSync(gzip).toString()).toBe(`${data}}`);
  expect(brotliDecompressSync(br).toString()).toBe(`${data}}`);
  expect(store.size.bytes).toBe(before + gzip.length + br.length);
  expect(made[0]!.released).toBe(0);
});

it("An answer stays where its coding does not fit beside it, and is compressed once.", async () => {
  const { store, ask, made, counts } = open(1_000_000);
  // Noise: its coding is nearly as long as the answer, which may have 64 KiB with all codings.
  const noise = `{"data":{"text":"${randomBytes(30_000).toString("base64")}"}`;
  const plain = `{"data":{"text":"${"x".repeat(20_000)}"}`;
  for (const _ of [1, 2]) {
    ask("noise", noise);
    ask("plain", plain);
  }
  const asked = () => store.coded("noise", store.find("noise", NO_TOKEN)!, "gzip");
  await until("the coding to be given up", () => {
    asked();
    return counts["not coded"];
  });
  for (let times = 0; times < 10; times += 1) expect(asked()).toBeNull();
  // By then another attempt would have ended.
  await inCoding(store, "plain", "gzip");
  expect(counts).toMatchObject({ "not coded": 1, coded: 1 });
  expect(store.size.answers).toBe(2);
  expect(made.map(({ released }) => released)).toEqual([0, 0]);
});

it("Stored bytes are no slices of a shared pool.", () => {
  const { store, ask } = open();
  for (const _ of [1, 2]) ask("a");
  const { buffer, length } = store.find("a", NO_TOKEN)!.data;
  expect(buffer.byteLength).toBe(length);
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
