/** The figures of `npm run measure` that have a bound and keep it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { measure, tableOf } from "../scripts/measure.mjs";

const figures = measure();

test("The source is as narrow, as small and as free of cycles as its bounds say.", () => {
  expect(figures.wideLines).toBe(0);
  expect(figures.repeatedNames).toBeLessThanOrEqual(30);
  expect(figures.valueCycles).toBe(0);
  expect(figures.cycles).toBeLessThanOrEqual(2);
  expect(figures.fullestFolder).toBeLessThanOrEqual(25);
  expect(figures.commentWords).toBeLessThanOrEqual(8);
  const [median = 0, p90 = 0, longest = 0] = figures.functionLines;
  expect([median <= 10, p90 <= 25, longest <= 60]).toEqual([true, true, true]);
  const [, fileP90 = 0, longestFile = 0] = figures.fileLines;
  expect([fileP90 <= 200, longestFile <= 300]).toEqual([true, true]);
});

test("The page of architecture has every row of the measured table, and its bound.", () => {
  const page = readFileSync(new URL("../docs/architecture.md", import.meta.url), "utf8");
  const table = page.slice(page.indexOf("## Figures")).split("\n");
  expect(rowsOf(table)).toEqual(rowsOf(tableOf(figures)));
});

/** What each row of a table measures, and its bound: the figure in between may be older. */
const rowsOf = (lines: readonly string[]): (string | undefined)[][] =>
  lines
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, what, , bound]) => [what, bound]);
