/** Single-flight: who shares work, and for how long. */
import { expect, test } from "vitest";
import { SingleFlight } from "../../../src/domain/concurrency/single-flight.js";

test("Callers of one key share its work; another key has its own.", async () => {
  const flights = new SingleFlight<string>();
  let runs = 0;
  const work = async () => `run ${++runs}`;
  const answers = await Promise.all([
    flights.run("a", work),
    flights.run("a", work),
    flights.run("b", work),
  ]);
  expect(answers).toEqual(["run 1", "run 1", "run 2"]);
});

test("Work that has settled is not shared, whether it succeeded or not.", async () => {
  const flights = new SingleFlight<number, number>();
  expect(await flights.run(1, async () => 1)).toBe(1);
  await expect(flights.run(1, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(flights.has(1)).toBe(false);
  expect(await flights.run(1, async () => 2)).toBe(2);
  expect(flights.size).toBe(0);
});

test("A failure reaches every caller that shares it.", async () => {
  const flights = new SingleFlight<string>();
  const work = () => Promise.reject(new Error("failed"));
  const shared = [flights.run("a", work), flights.run("a", work)];
  for (const one of shared) await expect(one).rejects.toThrow("failed");
});

test("Forgotten work answers those who joined and no later caller.", async () => {
  const flights = new SingleFlight<string>();
  let finish = (_answer: string): void => {};
  const old = flights.run("a", () => new Promise((resolve) => (finish = resolve)));
  flights.forget("a");
  let finishNew = (_answer: string): void => {};
  const young = flights.run("a", () => new Promise((resolve) => (finishNew = resolve)));
  finish("old");
  expect(await old).toBe("old");
  expect(flights.has("a")).toBe(true);
  finishNew("new");
  expect(await flights.run("a", async () => "third")).toBe("new");
  expect(await young).toBe("new");
});
