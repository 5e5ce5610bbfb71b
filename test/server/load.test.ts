/** Places of a process: never more than there are, given back once, and those of one class never taken by another. */
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createLateness, createLoad, isRefused, LOAD_CLASSES, type Load, type LoadClass, type Place } from "../../src/server/load.js";

const LIMITS = { inFlight: { address: 6, viewer: 4, service: 2 }, bodyBytes: 1_000, lagMs: 100 };

function open(): Load {
  const load = createLoad(LIMITS);
  onTestFinished(() => load.close());
  return load;
}

const arrival = fc.record({
  class: fc.constantFrom(...LOAD_CLASSES),
  holder: fc.constantFrom("a", "b", "c"),
  bytes: fc.integer({ min: 0, max: 400 }),
});
const step = fc.oneof(
  { weight: 3, arbitrary: arrival.map((one) => ({ enter: one })) },
  { weight: 2, arbitrary: fc.nat({ max: 50 }).map((at) => ({ leave: at })) },
);

interface Held {
  readonly place: Place;
  readonly class: LoadClass;
  readonly bytes: number;
}

function expectWithinBounds(load: Load, held: readonly Held[]): void {
  for (const name of LOAD_CLASSES) {
    const count = held.filter((place) => place.class === name).length;
    expect(load.inFlight(name)).toBe(count);
    expect(count).toBeLessThanOrEqual(LIMITS.inFlight[name]);
  }
  const limited = held.filter((place) => place.class !== "service");
  expect(limited.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(LIMITS.bodyBytes);
}

test("Places and bytes stay within their bounds, whoever comes and goes, and all are there again at the end.", () => {
  const load = open();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const held: Held[] = [];
      for (const one of steps) {
        if ("enter" in one) {
          const entered = load.enter(one.enter);
          if (!isRefused(entered)) held.push({ place: entered, ...one.enter });
        } else {
          // A second leave gives nothing back.
          const place = held[one.leave]?.place;
          place?.leave();
          place?.leave();
          held.splice(one.leave, place ? 1 : 0);
        }
        expectWithinBounds(load, held);
      }
      for (const { place } of held) place.leave();
      expect(LOAD_CLASSES.map(load.inFlight)).toEqual([0, 0, 0]);
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("A class that is full leaves the places of the others, and one holder leaves half of its class.", () => {
  const load = open();
  const enter = (loadClass: LoadClass, holder: string) => load.enter({ class: loadClass, holder, bytes: 0 });
  const flood = Array.from({ length: 10 }, () => enter("address", "flood"));
  expect(flood.filter(isRefused)).toEqual(Array.from({ length: 7 }, () => "one holder"));
  for (const holder of ["a", "b", "c"]) expect(isRefused(enter("address", holder))).toBe(false);
  expect(enter("address", "d")).toBe("in flight");
  expect(isRefused(enter("viewer", "1"))).toBe(false);
  expect(isRefused(enter("service", "token"))).toBe(false);
});

test("An event loop that is late once is a pause; one that stays late refuses callers without an identity first.", () => {
  const lateness = createLateness(100);
  let nowMs = 0;
  const sample = (lateMs: number): void => {
    nowMs += 50 + lateMs;
    lateness.sample(nowMs, lateMs);
  };
  const state = () => [lateness.isLate(), ...LOAD_CLASSES.map(lateness.refuses)];
  sample(1_500);
  sample(0);
  expect(state()).toEqual([false, false, false, false]);
  for (let times = 0; times < 8; times++) sample(200);
  expect(state()).toEqual([true, true, false, false]);
  for (let times = 0; times < 4; times++) sample(500);
  expect(state()).toEqual([true, true, true, false]);
  sample(0);
  expect(state()).toEqual([false, false, false, false]);
});

test("A process whose event loop stays late refuses callers without an identity, and says why.", () => {
  const loop = { isLate: () => true, refuses: (name: LoadClass) => name === "address", close: () => {} };
  const load = createLoad(LIMITS, loop);
  expect(load.enter({ class: "address", holder: "a", bytes: 0 })).toBe("event loop");
  expect(isRefused(load.enter({ class: "viewer", holder: "1", bytes: 0 }))).toBe(false);
});
