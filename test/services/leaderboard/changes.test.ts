/**
 * Ten thousand changes a second are ten words a second, and those who listen cost one read between
 * them.
 */
import { setImmediate as turn } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import type { Topic } from "../../../src/domain/events/events.js";
import type { BoardRecord } from "../../../src/domain/leaderboard/leaderboard.js";
import { PERIODS } from "../../../src/domain/leaderboard/periods.js";
import { createBoardChanges } from "../../../src/services/leaderboard/changes.js";
import { createSharedReads } from "../../../src/services/shared-reads.js";
import { testLog } from "../../support/log.js";
import { until } from "../../support/until.js";
import { boardDraft } from "./leaderboard.fixture.js";

const EVERY_MS = 20;
const CHANGES = 10_000;
/** As many as fit into the time that passed, and the one at its beginning. */
const most = (startedAt: number): number => (performance.now() - startedAt) / EVERY_MS + 1;

it("A board is told of once per window and period at most, and of its last change.", async () => {
  const told: { topic: Topic; version: number }[] = [];
  const pubsub = {
    publish: async (topic: Topic, payload: unknown) =>
      void told.push({ topic, version: (payload as { version: number }).version }),
  };
  const changes = createBoardChanges({
    pubsub: pubsub as never,
    everyMs: EVERY_MS,
    log: testLog(),
  });
  onTestFinished(() => changes.close());
  const board: BoardRecord = { ...boardDraft(), id: 1, source: "CLIENTS", archivedMs: {} };
  const startedAt = performance.now();
  for (let version = 1; version <= CHANGES; version++) {
    changes.changed(board, version);
    if (version % 50 === 0) await turn();
  }
  await until("the last change to be told", () => told.at(-1)?.version === CHANGES);
  for (const period of PERIODS) {
    const ofPeriod = told
      .filter(({ topic }) => topic.id === `${board.slug}:${period}`)
      .map(({ version }) => version);
    expect(ofPeriod.length).toBeLessThanOrEqual(most(startedAt));
    expect(ofPeriod).toEqual([...ofPeriod].sort((a, b) => a - b));
    expect(ofPeriod.at(-1)).toBe(CHANGES);
  }
});

it("A change that could not be announced is announced once Redis answers again.", async () => {
  const told: number[] = [];
  let failures = 3 * PERIODS.length;
  const publish = async (_topic: Topic, payload: unknown) => {
    if (failures-- > 0) throw new Error("no Redis");
    told.push((payload as { version: number }).version);
  };
  const changes = createBoardChanges({ pubsub: { publish } as never, everyMs: 5, log: testLog() });
  onTestFinished(() => changes.close());
  const board: BoardRecord = { ...boardDraft(), id: 1, source: "CLIENTS", archivedMs: {} };
  changes.changed(board, 7);
  await until("every period to be told", () => told.length === PERIODS.length);
  expect(new Set(told)).toEqual(new Set([7]));
});

it("A thousand askers cost one read per window, and none gets one from before.", async () => {
  const reads = createSharedReads<number>(EVERY_MS);
  const begun: number[] = [];
  const load = async () => begun.push(performance.now());
  const startedAt = performance.now();
  const answers: Promise<void>[] = [];
  for (let asker = 0; asker < 1_000; asker++) {
    const askedAt = performance.now();
    answers.push(
      reads
        .read("top", load)
        .then((number) => expect(begun[number - 1]).toBeGreaterThanOrEqual(askedAt)),
    );
    if (asker % 10 === 0) await turn();
  }
  await Promise.all(answers);
  expect(begun.length).toBeGreaterThan(0);
  expect(begun.length).toBeLessThanOrEqual(most(startedAt));
});

it("a read that fails is the failure of those who shared it, and of nobody after", async () => {
  const reads = createSharedReads<string>(0);
  const fails = [1, 2].map(() => reads.read("top", () => Promise.reject(new Error("away"))));
  for (const failed of fails) await expect(failed).rejects.toThrow("away");
  expect(await reads.read("top", async () => "there")).toBe("there");
});
