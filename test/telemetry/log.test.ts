/** Lines of the log: one JSON object each, no key twice, whatever a line is about. */
import assert from "node:assert";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { repeatedKey } from "../../src/cli/read-ndjson.js";
import { createLogger } from "../../src/telemetry/log.js";
import { startProcess } from "../support/app.js";
import { temporaryFolder } from "../support/files.js";
import { ensureBuilt } from "../support/node-process.js";
import { testDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";

test.each(["pid", "level", "time", "msg", "err", "url"])(
  "A line about something with the key %s has every key once.",
  (key) => {
    const lines: string[] = [];
    createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } }).info(
      { [key]: 7, other: 8 },
      "told",
    );
    expect(repeatedKey(lines[0] ?? "")).toBeNull();
    const line = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
    expect(line).toMatchObject({ pid: process.pid, msg: "told", level: 30, other: 8 });
    expect(Object.values(line)).toContain(7);
  },
);

test("A secret stays struck out under a key that was renamed beside it.", () => {
  const lines: string[] = [];
  createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } }).info(
    { pid: 1, token: "hunter2" },
    "told",
  );
  expect(lines[0]).not.toContain("hunter2");
});

describe("a line about a value that is hard to write", () => {
  const circle: Record<string, unknown> = { name: "circle" };
  circle.self = circle;
  const hostile = (what: object): object =>
    Object.defineProperty(what, "broken", { enumerable: true, get: () => assert.fail("no value") });
  const VALUES: Readonly<Record<string, unknown>> = {
    "a circle": circle,
    "an error that causes itself": Object.assign(new Error("x"), {
      cause: circle,
      errors: [circle],
    }),
    "a big number": 10n,
    "a big number within": { deep: [10n] },
    "a date": new Date(0),
    "no date": new Date(Number.NaN),
    "a URL": new URL("http://souk.test/"),
    "a map": new Map([["token", "hunter2"]]),
    "a function": () => "hunter2",
    "a symbol": Symbol("hunter2"),
    "a secret that writes itself": { toJSON: () => ({ token: "hunter2", other: 1 }) },
    "a secret within that writes itself": { inner: { toJSON: () => ({ token: "hunter2" }) } },
    "what writes itself as itself": Object.assign(circle, { toJSON: () => circle }),
    "what fails to write itself": { toJSON: () => assert.fail("no text") },
    "what cannot be read": hostile({}),
    "what cannot be read within": { inner: hostile({}) },
    "an error that cannot be read": hostile(new Error("x")),
    "a toJSON that is no function": { toJSON: 1, token: "hunter2" },
  };

  test.each(Object.keys(VALUES))(
    "It is written without a secret, and nothing is thrown: %s.",
    (name) => {
      const lines: string[] = [];
      const log = createLogger({
        level: "info",
        destination: { write: (line) => void lines.push(line) },
      });
      log.info({ about: VALUES[name], requestId: "7" }, "told");
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toContain("hunter2");
      expect(JSON.parse(lines[0] ?? "")).toMatchObject({ msg: "told", requestId: "7" });
    },
  );
});

describe("a process", () => {
  beforeAll(ensureBuilt);
  const linesOf = (output: string) => output.split("\n").filter((line) => line.startsWith("{"));

  test("No line of a start and a stop has a key twice.", async () => {
    const database = await testDatabase();
    onTestFinished(() => database.close());
    const app = await startProcess(["dist/main.js"], {
      DATABASE_URL: database.url,
      REDIS_URL: testRedis().url,
      LOG_LEVEL: "trace",
    });
    expect(await app.end()).toBe(0);
    const lines = linesOf(app.output());
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.filter((line) => repeatedKey(line) !== null)).toEqual([]);
  });

  test("No line of a start that fails has a key twice.", async () => {
    const folder = await temporaryFolder("log");
    onTestFinished(() => folder.remove());
    const env = {
      DATA_DIR: folder.path,
      DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
      LOG_LEVEL: "trace",
    };
    const failure = await startProcess(["dist/main.js"], env).then(
      () => "it started",
      (error: Error) => error.message,
    );
    expect(failure).toMatch(/^exit code 1:/);
    const lines = linesOf(failure.replace(/^exit code 1:\s*/, ""));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => repeatedKey(line) !== null)).toEqual([]);
  });
});
