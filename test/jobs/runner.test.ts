/** The runner of jobs, and what it says of them. */
import { expect, onTestFinished, test } from "vitest";
import { createJobHealth } from "../../src/jobs/health.js";
import { type JobOptions, MORE, startJob } from "../../src/jobs/runner.js";
import { rememberingLog } from "../support/log.js";
import { until } from "../support/until.js";

const LEVELS: Readonly<Record<number, string>> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
};

function openHealth(nowMs?: () => number) {
  const { log, lines } = rememberingLog();
  const said = () =>
    lines
      .map((line) => JSON.parse(line) as { level: number; failures: number })
      .map(({ level, failures }) => `${LEVELS[level]} ${failures}`);
  return { health: createJobHealth(log, nowMs), said, lines };
}

/** A job over a channel that tests notify by hand. */
async function run(options: Partial<JobOptions> & Pick<JobOptions, "work">) {
  const { health, said } = openHealth();
  const listeners: (() => void)[] = [];
  const database = {
    async listen(_channel: string, onNotify: (payload: string) => void) {
      listeners.push(() => onNotify(""));
      return { close: async () => void listeners.splice(0) };
    },
  };
  const job = await startJob(
    { database, health },
    { name: "sample", everyMs: 1, firstMs: 0, ...options },
  );
  onTestFinished(() => job.close());
  return {
    job,
    said,
    health,
    notify: () => listeners.forEach((listener) => void listener()),
    listeners,
  };
}

test("A job that keeps failing warns once, errs once in a while, and logs its recovery.", () => {
  const { health, said } = openHealth();
  const report = health.of("sample");
  for (let failure = 0; failure < 205; failure++) report.failed(new Error("no"));
  report.succeeded();
  expect(said().filter((line) => !line.startsWith("debug"))).toEqual([
    "warn 3",
    "error 10",
    "error 100",
    "error 200",
    "info 205",
  ]);
});

test("Failures that pass by themselves are no more than debug lines.", () => {
  const { health, said } = openHealth();
  const report = health.of("sample");
  for (let round = 0; round < 5; round++) {
    report.failed(new Error("no"));
    report.failed(new Error("no"));
    report.succeeded();
  }
  expect(new Set(said())).toEqual(new Set(["debug 1", "debug 2"]));
});

test("A warning names the job, the reason, and the reason behind it.", () => {
  const { health, lines } = openHealth();
  const report = health.of("sample");
  for (let failure = 0; failure < 3; failure++)
    report.failed(new Error("Try again.", { cause: new Error("relation is gone") }));
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({
    job: "sample",
    err: { message: "Try again.", cause: "relation is gone" },
  });
});

test("The state of a job tells its last success, how long it fails, and its run's length.", () => {
  let nowMs = 1_000;
  const { health } = openHealth(() => nowMs);
  const report = health.of("sample");
  const state = () => health.states()[0];
  nowMs += 10;
  expect(state()).toEqual({
    job: "sample",
    failures: 0,
    failuresTotal: 0,
    sinceSuccessMs: 10,
    failingMs: null,
    runningMs: null,
  });
  report.began();
  nowMs += 5;
  expect(state()).toMatchObject({ runningMs: 5, sinceSuccessMs: 15 });
  report.failed("no");
  nowMs += 5;
  report.failed("no");
  expect(state()).toMatchObject({
    failures: 2,
    failuresTotal: 2,
    failingMs: 5,
    runningMs: null,
    sinceSuccessMs: 20,
  });
  report.succeeded();
  expect(state()).toMatchObject({
    failures: 0,
    failuresTotal: 2,
    failingMs: null,
    sinceSuccessMs: 0,
  });
});

/** Ways in which work can fail. None may end the job. */
const FAILURES: readonly [string, () => Promise<unknown>][] = [
  ["rejects", () => Promise.reject(new Error("no"))],
  ["rejects with what is no error", () => Promise.reject(null)],
  [
    "throws at once",
    () => {
      throw new Error("no");
    },
  ],
];

test.each(FAILURES)("A job whose work %s is run again, and recovers.", async (_, fail) => {
  let runs = 0;
  const { health } = await run({ work: () => (++runs <= 4 ? fail() : Promise.resolve()) });
  await until("the recovery", () => runs > 4 && health.states()[0]?.failures === 0);
  expect(health.states()[0]?.failuresTotal).toBe(4);
});

test("Runs never overlap, and a notification during a run leads to another run.", async () => {
  let [runs, inside, most] = [0, 0, 0];
  const { notify } = await run({
    everyMs: 1_000_000,
    wake: { channel: "sample", delayMs: 0 },
    async work() {
      most = Math.max(most, ++inside);
      runs += 1;
      if (runs <= 3) notify();
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    },
  });
  await until("the runs", () => runs === 4 && inside === 0);
  expect(most).toBe(1);
});

test("Work that left something to do goes on at once, as another run.", async () => {
  let left = 5;
  const { health } = await run({
    everyMs: 1_000_000,
    work: async () => (--left > 0 ? MORE : null),
  });
  await until("the end", () => left === 0);
  expect(health.states()[0]?.failures).toBe(0);
});

test("Closing waits for the run, runs once more where asked, and stops listening.", async () => {
  const order: string[] = [];
  let finish = (): void => {};
  const { job, listeners } = await run({
    everyMs: 1_000_000,
    atEnd: true,
    wake: { channel: "sample", delayMs: 0 },
    async work() {
      order.push("begin");
      if (order.length === 1) await new Promise<void>((resolve) => (finish = resolve));
      order.push("end");
    },
  });
  await until("the first run", () => order.length === 1);
  const closed = job.close().then(() => order.push("closed"));
  finish();
  await closed;
  expect(order).toEqual(["begin", "end", "begin", "end", "closed"]);
  expect(listeners).toEqual([]);
});
