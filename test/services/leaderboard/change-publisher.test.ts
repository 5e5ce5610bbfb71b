/** Ten thousand changes a second of a board are few publications, and the last one always. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import type { Topic } from "../../../src/domain/events/events.js";
import type { BoardRecord } from "../../../src/domain/leaderboard/leaderboard.js";
import { PERIODS } from "../../../src/domain/leaderboard/periods.js";
import { createChangePublisher } from "../../../src/services/leaderboard/change-publisher.js";
import { testLog } from "../../support/log.js";
import { until } from "../../support/until.js";
import { boardDraft } from "./leaderboard.fixture.js";

const EVERY_MS = 20;
const CHANGES = 10_000;
/** As many as fit into the time that passed, and the one at its beginning. */
const most = (startedAt: number): number => (performance.now() - startedAt) / EVERY_MS + 1;

it("A board is published once per window and period at most, its last change included.", async () => {
  const told: { topic: Topic; version: number }[] = [];
  const pubsub = {
    publish: async (topic: Topic, payload: unknown) =>
      void told.push({ topic, version: (payload as { version: number }).version }),
  };
  const publisher = createChangePublisher({
    pubsub: pubsub as never,
    everyMs: EVERY_MS,
    log: testLog(),
  });
  onTestFinished(() => publisher.close());
  const board: BoardRecord = { ...boardDraft(), id: 1, source: "CLIENTS", archivedMs: {} };
  const startedAt = performance.now();
  for (let version = 1; version <= CHANGES; version++) {
    publisher.publish(board, version);
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
  const publisher = createChangePublisher({
    pubsub: { publish } as never,
    everyMs: 5,
    log: testLog(),
  });
  onTestFinished(() => publisher.close());
  const board: BoardRecord = { ...boardDraft(), id: 1, source: "CLIENTS", archivedMs: {} };
  publisher.publish(board, 7);
  await until("every period to be told", () => told.length === PERIODS.length);
  expect(new Set(told)).toEqual(new Set([7]));
});
