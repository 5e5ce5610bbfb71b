/**
 * What samples of the event loop mean: which stand for a queue, and how much a process may have
 * under way.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createCapacity, createLateness } from "../../src/server/event-loop.js";

test("A loop that is late once is a pause; one that stays late for a second is a queue.", () => {
  const lateness = createLateness(100);
  let nowMs = 0;
  const sample = (lateMs: number): void => {
    nowMs += 50 + lateMs;
    lateness.sample(nowMs, lateMs);
  };
  const state = () => [lateness.isLate(), lateness.isVeryLate()];
  sample(1_500);
  sample(0);
  expect(state()).toEqual([false, false]);
  for (let times = 0; times < 8; times++) sample(200);
  expect(state()).toEqual([true, false]);
  for (let times = 0; times < 4; times++) sample(500);
  expect(state()).toEqual([true, true]);
  sample(0);
  expect(state()).toEqual([false, false]);
});

test("An idle process holds anything, a saturated one what half a second completes.", () => {
  const sample = fc.record({
    busy: fc.double({ min: 0, max: 1, noNaN: true }),
    done: fc.integer({ min: 1, max: 5_000 }),
    elapsedMs: fc.integer({ min: 500, max: 5_000 }),
  });
  fc.assert(
    fc.property(sample, (one) => {
      const capacity = createCapacity(500);
      capacity.sample(one);
      if (one.busy < 0.9) expect(capacity.holds()).toBe(Number.POSITIVE_INFINITY);
      else expect(capacity.holds()).toBeCloseTo(Math.max(16, (one.done / one.elapsedMs) * 500));
    }),
    { seed: 6 },
  );
});

test("A process has no capacity of its own until it has completed something.", () => {
  const capacity = createCapacity(500);
  const sample = (done: number): void => capacity.sample({ busy: 1, done, elapsedMs: 500 });
  sample(0);
  expect(capacity.holds()).toBe(Number.POSITIVE_INFINITY);
  sample(100);
  expect(capacity.holds()).toBe(100);
  for (let times = 0; times < 20; times++) sample(0);
  expect(capacity.holds()).toBe(16);
});

test("A process that was saturated holds anything again when it has idle time.", () => {
  const capacity = createCapacity(500);
  capacity.sample({ busy: 1, done: 100, elapsedMs: 500 });
  expect(capacity.holds()).toBe(100);
  capacity.sample({ busy: 0.2, done: 10, elapsedMs: 500 });
  expect(capacity.holds()).toBe(Number.POSITIVE_INFINITY);
});

test("The best rate of ten seconds counts, so that refusing does not lower what is held.", () => {
  const capacity = createCapacity(500);
  const sample = (done: number): void => capacity.sample({ busy: 1, done, elapsedMs: 500 });
  sample(1_000);
  for (let times = 0; times < 19; times++) sample(100);
  expect(capacity.holds()).toBe(1_000);
  sample(100);
  expect(capacity.holds()).toBe(100);
});
