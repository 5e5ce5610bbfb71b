/** Refusals cost no statement each, and take bounded space however many there are. */
import { expect, it } from "vitest";
import type { RefusalCount } from "../../../src/domain/account/audit.js";
import { createRefusedSignIns } from "../../../src/services/account/refused-sign-ins.js";
import { testLog } from "../../support/log.js";

/** A table that keeps its input, and fails on demand. */
function openCounter() {
  const statements: (readonly RefusalCount[])[] = [];
  const state = { down: false };
  const refused = createRefusedSignIns({
    table: {
      appendRefusals: async (counts) => {
        if (state.down) throw new Error("down");
        statements.push(counts);
      },
    },
    log: testLog(),
  });
  return { refused, statements, state };
}
const total = (counts: readonly RefusalCount[] = []) =>
  counts.reduce((sum, { count }) => sum + count, 0);

it("Refusals are counted by event, account and address, and written in one statement.", async () => {
  const { refused, statements } = openCounter();
  for (let times = 0; times < 1_000; times++) refused.note("sign_in_refused", 7, "192.0.2.1");
  refused.note("sign_in_refused", null, "192.0.2.1");
  for (const host of ["1", "2", "ffff:1"])
    refused.note("sign_in_limited", null, `2001:db8:0:1::${host}`);
  await refused.close();
  expect(statements).toEqual([
    [
      { event: "sign_in_refused", userId: 7, from: "192.0.2.1", count: 1_000 },
      { event: "sign_in_refused", userId: null, from: "192.0.2.1", count: 1 },
      { event: "sign_in_limited", userId: null, from: "2001:db8:0:1::/64", count: 3 },
    ],
  ]);
});

it("An attack from a million addresses takes a hundred rows a minute, all counted.", async () => {
  const { refused, statements } = openCounter();
  for (let at = 0; at < 1_000_000; at++)
    refused.note("sign_in_refused", at % 1_000, `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
  await refused.close();
  expect(statements[0]!.length).toBeLessThanOrEqual(101);
  expect(total(statements[0])).toBe(1_000_000);
  expect(statements[0]!.at(-1)).toMatchObject({ userId: null, from: null });
});

it("Counts that cannot be written are written with the next, and stay bounded.", async () => {
  const { refused, statements, state } = openCounter();
  const attack = () => {
    for (let at = 0; at < 500; at++) refused.note("sign_in_refused", at, "192.0.2.1");
  };
  state.down = true;
  attack();
  await refused.flush();
  attack();
  await refused.flush();
  state.down = false;
  await refused.close();
  expect(statements).toHaveLength(1);
  expect([total(statements[0]), statements[0]!.length <= 101]).toEqual([1_000, true]);
});
