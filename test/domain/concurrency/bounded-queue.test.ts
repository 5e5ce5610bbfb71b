import fc from "fast-check";
import { expect, test } from "vitest";
import { BoundedQueue } from "../../../src/domain/concurrency/bounded-queue.js";

const step = fc.oneof(
  fc.record({ kind: fc.constant("push" as const) }),
  fc.record({ kind: fc.constant("take" as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 60 }) }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A queue beside what is known of it. */
class Model {
  nowMs = 0;
  pushed = 0;
  readonly accepted = new Map<number, number>();
  readonly refused: number[] = [];
  readonly taken: number[] = [];
  readonly queue = new BoundedQueue<number>({
    maxLength: 5,
    maxWaitMs: 50,
    refuse: (item) => void this.refused.push(item),
    nowMs: () => this.nowMs,
  });

  perform(one: Step): void {
    if (one.kind === "wait") this.nowMs += one.ms;
    else if (one.kind === "push") this.push();
    else this.take(one.count);
    expect(this.queue.length).toBeLessThanOrEqual(5);
  }

  private push(): void {
    const item = ++this.pushed;
    const hadRoom = this.queue.length < 5;
    if (this.queue.push(item)) this.accepted.set(item, this.nowMs);
    if (!hadRoom) expect(this.accepted.has(item)).toBe(false);
  }

  take(count: number): void {
    const items = this.queue.take(count);
    expect(items.length).toBeLessThanOrEqual(count);
    for (const item of items)
      expect(this.nowMs - (this.accepted.get(item) ?? 0)).toBeLessThanOrEqual(50);
    this.taken.push(...items);
  }
}

test("A queue serves in order what waited within its bound, and refuses the rest once.", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const model = new Model();
      for (const one of steps) model.perform(one);
      while (model.queue.length > 0) model.take(10);
      expect(model.taken).toEqual([...model.taken].sort((a, b) => a - b));
      expect([...model.taken, ...model.refused].sort((a, b) => a - b)).toEqual([
        ...model.accepted.keys(),
      ]);
    }),
    { seed: 5, numRuns: 500 },
  );
});

test("A queue whose first item waited too long takes no more until that is refused.", () => {
  let nowMs = 0;
  const refused: string[] = [];
  const queue = new BoundedQueue<string>({
    maxLength: 10,
    maxWaitMs: 50,
    refuse: (item) => void refused.push(item),
    nowMs: () => nowMs,
  });
  expect(queue.push("early")).toBe(true);
  nowMs = 51;
  expect(queue.push("late")).toBe(false);
  expect(queue.take(1)).toEqual([]);
  expect(refused).toEqual(["early"]);
  expect(queue.push("later")).toBe(true);
});
