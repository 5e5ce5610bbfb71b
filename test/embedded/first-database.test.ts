/** The first database is whole or not there, however its filler ends. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { StartupError } from "../../src/domain/errors.js";
import { fillFirstDatabase } from "../../src/embedded/first-database.js";
import { temporaryFolder } from "../support/files.js";
import { ensureBuilt, runModule } from "../support/node-process.js";
import { until } from "../support/until.js";

/** A filler that begins a database, says its pid there, and then does something. */
const fillerThat = (does: string): string[] => [
  "--input-type=module",
  "-e",
  `import { mkdirSync, writeFileSync } from "node:fs";
   const place = process.env.DATA_DIR + "/postgres";
   mkdirSync(place, { recursive: true });
   writeFileSync(place + "/pid", String(process.pid));
   ${does}`,
];
const ENDS = fillerThat('writeFileSync(place + "/rows", "all");');
const WAITS = fillerThat("setInterval(() => {}, 1000);");

let dataDir: string;
let warnings: string[];
let lines: string[];

beforeEach(async () => {
  const { path, remove } = await temporaryFolder("first");
  onTestFinished(remove);
  dataDir = path;
  warnings = [];
  lines = [];
});

const log = { warn: (text: string) => void warnings.push(text) };
const fill = (filler: string[], onFill: () => void = () => {}) =>
  fillFirstDatabase({
    dataDir,
    filler,
    onFill,
    onLine: (line) => lines.push(line),
    log: log as never,
  });

const rows = () => readFile(join(dataDir, "postgres", "rows"), "utf8");

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** The pid of a filler at work, once it has begun. */
const fillerPid = (): Promise<number> =>
  until("the filler to begin", async () => {
    const draft = (await readdir(dataDir)).find((name) => name.startsWith("first-"));
    if (!draft) return null;
    // The file is there before its text.
    return Number(await readFile(join(dataDir, draft, "postgres", "pid"), "utf8")) || null;
  });

test("A complete database is moved to its place, and nothing else is left.", async () => {
  expect(await fill(ENDS)).toBe(true);
  expect(await rows()).toBe("all");
  expect(await readdir(dataDir)).toEqual(["postgres"]);
  expect(warnings).toEqual([]);
});

test("The lines of a filler are handed on, and are no part of its failure.", async () => {
  const says = fillerThat('console.log("rows 1 of 2\\nrows 2 of 2"); throw new Error("too late");');
  const failure = await fill(says).catch((error: Error) => error.message);
  expect(lines).toEqual(["rows 1 of 2", "rows 2 of 2"]);
  expect(failure).toContain("too late");
  expect(failure).not.toMatch(/rows \d of 2$/m);
});

test("A database that is there is left alone, also an empty one.", async () => {
  await mkdir(join(dataDir, "postgres"));
  expect(await fill(ENDS, () => expect.unreachable())).toBe(false);
  expect(await readdir(join(dataDir, "postgres"))).toEqual([]);
});

test("A filler that is killed midway leaves nothing, and the next start fills anew.", async () => {
  const failure = fill(WAITS).catch((error: unknown) => error);
  process.kill(await fillerPid(), "SIGKILL");
  expect(await failure).toBeInstanceOf(StartupError);
  expect(await readdir(dataDir)).toEqual([]);
  expect(await fill(ENDS)).toBe(true);
  expect(await rows()).toBe("all");
});

test("A filler that finds no room says so, and its work is removed.", async () => {
  const full = fillerThat('throw new Error("ENOSPC: no space left on device");');
  await expect(fill(full)).rejects.toThrow(/could not be filled[\s\S]*ENOSPC[\s\S]*start again/);
  expect(await readdir(dataDir)).toEqual([]);
});

test.each(["SIGTERM", "SIGKILL"] as const)(
  "A start that ends by %s takes its filler along; the next one says so and fills anew.",
  async (signal) => {
    ensureBuilt();
    const owner = runModule(`
      import { fillFirstDatabase } from "./dist/embedded/first-database.js";
      await fillFirstDatabase({
        dataDir: ${JSON.stringify(dataDir)},
        filler: ${JSON.stringify(WAITS)},
        onFill() {},
        onLine() {},
        log: console,
      });
    `);
    const pid = await fillerPid();
    await owner.end(signal);
    await until("the filler to be gone", () => !isAlive(pid));
    expect(await readdir(dataDir)).not.toContain("postgres");
    expect(await fill(ENDS)).toBe(true);
    expect(warnings).toEqual([expect.stringContaining("an earlier start ended while it filled")]);
    expect(await readdir(dataDir)).toEqual(["postgres"]);
  },
);
