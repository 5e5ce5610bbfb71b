/** The figures of `npm run measure` that have a bound and keep it. */
import { expect, test } from "vitest";
import { measure } from "../scripts/measure.mjs";

test("The source is as narrow, as small and as free of cycles as its bounds say.", () => {
  const figures = measure();
  expect(figures.wideLines).toBe(0);
  expect(figures.valueCycles).toBe(0);
  expect(figures.cycles).toBeLessThanOrEqual(2);
  expect(figures.fullestFolder).toBeLessThanOrEqual(25);
  const [median = 0, p90 = 0] = figures.functionLines;
  expect([median <= 10, p90 <= 25]).toEqual([true, true]);
});
