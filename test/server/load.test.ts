/**
 * Places of a process: never more than there are, given back once, and those of one class never
 * taken by another.
 */
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { LOAD_CLASSES, type LoadClass } from "../../src/domain/limits.js";
import type { EventLoop } from "../../src/server/event-loop.js";
import {
  type Arrival,
  createLoad,
  isRefused,
  type Load,
  type Place,
} from "../../src/server/load.js";

const LIMITS = {
  inFlight: { address: 6, viewer: 4, service: 2 },
  bodyBytes: 1_000,
  waitMs: 500,
  lagMs: 60_000,
};

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

/** The place of a request, whose body is there at once; none where it is refused. */
function taken(load: Load, arrival: Arrival): Held[] {
  const arriving = load.arrive(arrival);
  if (isRefused(arriving)) return [];
  if (arriving.begin() === null) return [{ place: arriving, ...arrival }];
  arriving.leave();
  return [];
}

function expectWithinBounds(load: Load, held: readonly Held[]): void {
  for (const name of LOAD_CLASSES) {
    const count = held.filter((place) => place.class === name).length;
    expect(load.inFlight(name)).toBe(count);
    expect(count).toBeLessThanOrEqual(LIMITS.inFlight[name]);
  }
  for (const name of ["address", "viewer"] as const) {
    const bytes = held
      .filter((place) => place.class === name)
      .reduce((sum, one) => sum + one.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(LIMITS.bodyBytes / 2);
  }
}

test("Places and bytes stay within bounds, whoever comes and goes, and all return.", () => {
  const load = open();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const held: Held[] = [];
      for (const one of steps) {
        if ("enter" in one) {
          held.push(...taken(load, one.enter));
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

test("A full class leaves the places of the others, and one holder half of its class.", () => {
  const load = open();
  const enter = (loadClass: LoadClass, holder: string) =>
    load.enter({ class: loadClass, holder, bytes: 0 });
  const flood = Array.from({ length: 10 }, () => enter("address", "flood"));
  expect(flood.filter(isRefused)).toEqual(Array.from({ length: 7 }, () => "one holder"));
  for (const holder of ["a", "b", "c"]) expect(isRefused(enter("address", holder))).toBe(false);
  expect(enter("address", "d")).toBe("in flight");
  expect(isRefused(enter("viewer", "1"))).toBe(false);
  expect(isRefused(enter("service", "token"))).toBe(false);
});

/** An event loop in a state. */
const loopThat = (state: Partial<EventLoop>): EventLoop => ({
  isLate: () => false,
  isVeryLate: () => false,
  holds: () => Number.POSITIVE_INFINITY,
  completed() {},
  close() {},
  ...state,
});

test("A late event loop refuses callers without identity, then users, never the service.", () => {
  const refusals = (state: Partial<EventLoop>) => {
    const load = createLoad(LIMITS, loopThat(state));
    return LOAD_CLASSES.map((name) => load.enter({ class: name, holder: "a", bytes: 0 })).map(
      (entered) => isRefused(entered) && entered,
    );
  };
  expect(refusals({})).toEqual([false, false, false]);
  expect(refusals({ isLate: () => true })).toEqual(["event loop", false, false]);
  expect(refusals({ isLate: () => true, isVeryLate: () => true })).toEqual([
    "event loop",
    "event loop",
    false,
  ]);
});

test("A saturated process has no more under way than its event loop holds.", () => {
  const load = createLoad(LIMITS, loopThat({ holds: () => 2 }));
  const entered = Array.from({ length: 4 }, (_, at) =>
    load.enter({ class: "address", holder: `${at}`, bytes: 0 }),
  );
  expect(entered.map(isRefused)).toEqual([false, false, true, true]);
});
