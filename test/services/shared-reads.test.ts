/** Shared reads: how few there are, and how new their answers. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createSharedReads } from "../../src/services/shared-reads.js";

const EVERY_MS = 20;
/** As many as fit into the time that passed, and the one at its beginning. */
const most = (startedAt: number): number => (performance.now() - startedAt) / EVERY_MS + 1;

it("A thousand callers cost one read per window, and none gets an older answer.", async () => {
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

it("A read that fails rejects for the callers that shared it, and for no later one.", async () => {
  const reads = createSharedReads<string>(0);
  const fails = [1, 2].map(() => reads.read("top", () => Promise.reject(new Error("away"))));
  for (const failed of fails) await expect(failed).rejects.toThrow("away");
  expect(await reads.read("top", async () => "there")).toBe("there");
});
