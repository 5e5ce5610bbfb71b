/**
 * Permits of a process: never more than there are, released once, and those of one class never
 * taken by another.
 */
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { LOAD_CLASSES, type LoadClass } from "../../src/domain/limits.js";
import type { EventLoop } from "../../src/server/event-loop.js";
import {
  type Arrival,
  createLoad,
  isShed,
  type LoadShedder,
  type Permit,
} from "../../src/server/load.js";

const LIMITS = {
  inFlight: { address: 6, viewer: 4, service: 2 },
  bodyBytes: 1_000,
  waitMs: 500,
  lagMs: 60_000,
};

function open(): LoadShedder {
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
  { weight: 3, arbitrary: arrival.map((one) => ({ acquire: one })) },
  { weight: 2, arbitrary: fc.nat({ max: 50 }).map((at) => ({ release: at })) },
);

interface Held {
  readonly permit: Permit;
  readonly class: LoadClass;
  readonly bytes: number;
}

/** The permit of a request, whose body is there at once; none where it is refused. */
function taken(load: LoadShedder, arrival: Arrival): Held[] {
  const arriving = load.announce(arrival);
  if (isShed(arriving)) return [];
  if (arriving.start() === null) return [{ permit: arriving, ...arrival }];
  arriving.release();
  return [];
}

function expectWithinBounds(load: LoadShedder, held: readonly Held[]): void {
  for (const name of LOAD_CLASSES) {
    const count = held.filter((permit) => permit.class === name).length;
    expect(load.inFlight(name)).toBe(count);
    expect(count).toBeLessThanOrEqual(LIMITS.inFlight[name]);
  }
  for (const name of ["address", "viewer"] as const) {
    const bytes = held
      .filter((permit) => permit.class === name)
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
        if ("acquire" in one) {
          held.push(...taken(load, one.acquire));
        } else {
          // A second leave gives nothing back.
          const permit = held[one.release]?.permit;
          permit?.release();
          permit?.release();
          held.splice(one.release, permit ? 1 : 0);
        }
        expectWithinBounds(load, held);
      }
      for (const { permit } of held) permit.release();
      expect(LOAD_CLASSES.map(load.inFlight)).toEqual([0, 0, 0]);
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("A full class leaves the places of the others, and one holder half of its class.", () => {
  const load = open();
  const enter = (loadClass: LoadClass, holder: string) =>
    load.acquire({ class: loadClass, holder, bytes: 0 });
  const flood = Array.from({ length: 10 }, () => enter("address", "flood"));
  expect(flood.filter(isShed)).toEqual(Array.from({ length: 7 }, () => "one holder"));
  for (const holder of ["a", "b", "c"]) expect(isShed(enter("address", holder))).toBe(false);
  expect(enter("address", "d")).toBe("in flight");
  expect(isShed(enter("viewer", "1"))).toBe(false);
  expect(isShed(enter("service", "token"))).toBe(false);
});

/** An event loop in a state. */
const loopThat = (state: Partial<EventLoop>): EventLoop => ({
  isLate: () => false,
  isVeryLate: () => false,
  capacity: () => Number.POSITIVE_INFINITY,
  completed() {},
  close() {},
  ...state,
});

test("A late event loop refuses callers without identity, then users, never the service.", () => {
  const refusals = (state: Partial<EventLoop>) => {
    const load = createLoad(LIMITS, loopThat(state));
    return LOAD_CLASSES.map((name) => load.acquire({ class: name, holder: "a", bytes: 0 })).map(
      (entered) => isShed(entered) && entered,
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
  const load = createLoad(LIMITS, loopThat({ capacity: () => 2 }));
  const entered = Array.from({ length: 4 }, (_, at) =>
    load.acquire({ class: "address", holder: `${at}`, bytes: 0 }),
  );
  expect(entered.map(isShed)).toEqual([false, false, true, true]);
});
