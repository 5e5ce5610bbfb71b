/** Progress: a bar on a terminal, sparse lines anywhere else. */
import { expect, test } from "vitest";
import { createProgress } from "../../src/telemetry/progress.js";

function watch(isTTY: boolean) {
  const written: string[] = [];
  let ms = 0;
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 };
  const progress = createProgress(stream, () => ms);
  const later = (byMs: number) => {
    ms += byMs;
  };
  return { written, progress, later };
}

test("On a terminal one line is redrawn, at most ten times a second.", () => {
  const { written, progress, later } = watch(true);
  progress.show(0, "0 rows read");
  progress.show(0.1, "1,000 rows read");
  later(100);
  progress.show(0.5, "2,000 rows read");
  progress.end();
  expect(written).toEqual([
    `\r\x1b[K${"░".repeat(30)}   0 % 0 rows read`,
    `\r\x1b[K${"█".repeat(15)}${"░".repeat(15)}  50 % 2,000 rows read`,
    "\n",
  ]);
});

test("Without a terminal a line is printed every five seconds and on a new phase.", () => {
  const { written, progress, later } = watch(false);
  progress.show(null, "1,000 rows read");
  later(4_900);
  progress.show(null, "2,000 rows read");
  later(100);
  progress.show(0.25, "3,000 rows read");
  progress.show(1, "merging 3,000 rows");
  progress.end();
  expect(written).toEqual([
    "1,000 rows read\n",
    " 25 % 3,000 rows read\n",
    "100 % merging 3,000 rows\n",
  ]);
});
