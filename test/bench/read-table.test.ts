/** The tables of the read bench: ratios, and the answers that failed. */
import { expect, test } from "vitest";
import { ROWS } from "../../bench/read/rows.mjs";
import {
  bestOf,
  type Contestant,
  ratioTo,
  rowTable,
  summaryTable,
} from "../../bench/read/table.mjs";

const contestant = (name: string, kind: Contestant["kind"], cpu: number[], failed = 0) => ({
  name,
  title: name,
  kind,
  size: 100,
  rounds: cpu.map((micros) => ({ cpu: micros, rps: 1_000, sql: 0, redis: 1, failed })),
});
const souk = { ...contestant("souk", "souk", [90, 60, 120]), as: "anonymous" };
const steady = contestant("steady", "peer", [100, 100, 100]);
const moody = contestant("moody", "peer", [50, 200, 300]);
const bare = contestant("bare-fastify", "bound", [30, 20, 45], 2);

test("A ratio compares calmest rounds with calmest, and medians with medians.", () => {
  expect(ratioTo(souk, [steady])).toEqual({ calmest: 0.6, median: 0.9 });
});

test("Each half of a ratio is to the peer that is cheapest by that measure.", () => {
  expect(ratioTo(souk, [steady, moody])).toEqual({ calmest: 1.2, median: 0.9 });
});

test("The best peer is the cheapest by median, and a bound is no peer.", () => {
  expect(bestOf([souk, moody, steady, bare])).toBe(steady);
  expect(bestOf([souk, bare])).toBeUndefined();
});

test("A table leaves a ratio empty when there is no peer to compare with.", () => {
  expect(
    rowTable({ name: "page", contestants: [souk] })
      .split("\n")
      .at(-1),
  ).toBe("| souk | 60, 90 |  |  | 1000 | 0.00 | 1.00 | 100 | 0 |");
});

test("The summary has a line for each caller of Souk, with all failures of the row.", () => {
  const signedIn = { ...souk, as: "signed in" };
  const rows = [{ name: "page", contestants: [souk, signedIn, steady, moody, bare] }];
  expect(summaryTable(rows).split("\n").slice(2)).toEqual([
    "| page, anonymous | 60, 90 | steady | 1.20, 0.90 | 3.00, 3.00 | 6 |",
    "| page, signed in | 60, 90 | steady | 1.20, 0.90 | 3.00, 3.00 | 6 |",
  ]);
});

test("Rows that change the shop come after all that read it.", () => {
  expect(ROWS.map(({ name }) => name)).toEqual([
    "page",
    "storefront",
    "one",
    "page-get",
    "page-304",
    "viewer",
    "stats",
    "page-cold",
    "storefront-cold",
    "set-cart-line",
    "track-view",
  ]);
});
