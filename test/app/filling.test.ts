/** What an operator sees of a first start, on a terminal and elsewhere. */
import { expect, test, vi } from "vitest";
import { printProgress, readProgress, showFilling } from "../../src/app/filling.js";
import { rememberingLog } from "../support/log.js";

/** Fills a shop of 60,000 rows on a stream. */
function filledOn(isTTY: boolean) {
  const { log, lines } = rememberingLog();
  const written: string[] = [];
  const filling = showFilling(log, { isTTY, write: (text: string) => !!written.push(text) });
  filling.onFill();
  for (const line of ["rows 250 of 60000", "anything else", "rows 60000 of 60000"])
    readProgress(line, filling);
  filling.onFilled();
  return { written: written.join(""), logged: lines.map((line) => JSON.parse(line)) };
}

test("The log says that a shop is filled, and then how many rows took how many seconds.", () => {
  const { logged } = filledOn(false);
  expect(logged).toMatchObject([
    { products: 10_000, msg: expect.stringContaining("filling the shop") },
    { rows: 60_000, seconds: expect.any(Number), msg: "the shop is filled" },
  ]);
});

test("A terminal shows a bar, whose line has ended.", () => {
  expect(filledOn(true).written).toMatch(/░ +0 % 250 rows.*\n$/s);
});

test("Elsewhere there is no bar.", () => {
  expect(filledOn(false).written).toBe("");
});

test("What the filler prints is what its parent reads.", () => {
  const printed: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => !!printed.push(String(text)));
  printProgress(1_000, 60_000);
  vi.restoreAllMocks();
  const seen: number[] = [];
  const filling = {
    onFill() {},
    onFilled() {},
    onProgress: (...rows: number[]) => seen.push(...rows),
  };
  readProgress(printed.join("").trimEnd(), filling);
  expect(seen).toEqual([1_000, 60_000]);
});
