/** Publications of counters: few, whatever happens, and the last one always. */
import { expect, it } from "vitest";
import type { Change, Topic } from "../../../src/domain/events/events.js";
import { createStatsPublisher } from "../../../src/services/counters/stats-publisher.js";
import { testLog } from "../../support/log.js";
import { until } from "../../support/until.js";

/** A channel that remembers what was published. */
function createChannel() {
  const published: Change[] = [];
  return {
    published,
    publish: async (_topic: Topic, payload: unknown) => void published.push(payload as Change),
  };
}

it("Ten thousand changes in a window are published twice, the last version included.", async () => {
  const channel = createChannel();
  const publisher = createStatsPublisher({ pubsub: channel, everyMs: 200, log: testLog() });
  for (let version = 1; version <= 10_000; version++) publisher.publish(7, version);
  expect(channel.published).toEqual([{ id: 7, version: 1, seen: 0 }]);
  await until("the end of the window", () => channel.published.length > 1);
  expect(channel.published.at(-1)).toEqual({ id: 7, version: 10_000, seen: 0 });
  publisher.close();
});

it("A product that changes all the time is published at most once a window.", async () => {
  const channel = createChannel();
  const windowMs = 50;
  const publisher = createStatsPublisher({ pubsub: channel, everyMs: windowMs, log: testLog() });
  const startMs = performance.now();
  for (let version = 1; channel.published.length < 5; version++) {
    publisher.publish(7, version);
    await new Promise(setImmediate);
  }
  // Four whole windows lie between the first and the fifth; timers may be a millisecond early.
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(4 * (windowMs - 1));
  publisher.close();
});

it("A failed publication is repeated with the latest version, and holds up no other.", async () => {
  const told: string[] = [];
  let failures = 6;
  const publish = async ({ id }: Topic, payload: unknown) => {
    if (id === 1 && failures-- > 0) throw new Error("no Redis");
    told.push(`${id}@${(payload as Change).version}`);
  };
  const publisher = createStatsPublisher({ pubsub: { publish }, everyMs: 5, log: testLog() });
  publisher.publish(1, 1);
  publisher.publish(2, 1);
  publisher.publish(1, 2);
  await until("the other product", () => told.length === 1);
  await until("the product that failed", () => told.length === 2);
  expect(told).toEqual(["2@1", "1@2"]);
  publisher.close();
});
