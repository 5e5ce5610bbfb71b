import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { configPartsOf, SUBJECTS } from "../../src/app/subjects.js";
import { variablesOf } from "../../src/config/config.js";
import { nearMisses } from "../../src/config/env-file.js";
import { temporaryFolder } from "../support/files.js";
import { ensureBuilt, ROOT } from "../support/node-process.js";

const KNOWN = Object.keys(variablesOf(configPartsOf(SUBJECTS)));

test.each([
  ["REDIS_UR", "REDIS_URL"],
  ["REDIS_URI", "REDIS_URL"],
  ["RDEIS_URL", "REDIS_URL"],
  ["redis_url", "REDIS_URL"],
  ["REDIS-URL", "REDIS_URL"],
  ["ALLOWED_ORIGIN", "ALLOWED_ORIGINS"],
  ["ADMINTOKEN", "ADMIN_TOKEN"],
  ["PORTS", "PORT"],
  ["DATABASE_URL_", "DATABASE_URL"],
])("A name near a variable is taken for it: %s", (name, meant) => {
  expect(nearMisses([name], KNOWN)).toEqual([{ name, meant }]);
});

test.each([
  "PATH",
  "POSTGRES_PASSWORD",
  "REDIS_HOST",
  "VITE_API_URL",
  "NODE_OPTIONS",
  "COMPOSE_PROJECT_NAME",
  "PG",
  "",
  "X".repeat(100_000),
])("A distant name is another program's: %s", (name) => {
  expect(nearMisses([name], KNOWN)).toEqual([]);
});

test("No variable is taken for another, and the nearest one is named.", () => {
  expect(nearMisses(KNOWN, KNOWN)).toEqual([]);
  expect(nearMisses(["LIMITER_REDIS_UR"], KNOWN)).toEqual([
    { name: "LIMITER_REDIS_UR", meant: "LIMITER_REDIS_URL" },
  ]);
});

test("At most ten names are taken for misspelled.", () => {
  const names = Array.from({ length: 5_000 }, (_, at) => `REDIS_URL${at % 100}`);
  expect(nearMisses(names, KNOWN)).toHaveLength(10);
});

test("A start warns of a misspelled name in .env, and prints no value.", async () => {
  ensureBuilt();
  const { path, remove } = await temporaryFolder("env-file");
  onTestFinished(remove);
  await writeFile(
    join(path, ".env"),
    "export REDIS_UR=redis://:hunter2@redis\nMY_KEY=hunter2\nLOG_LEVEL=info\n",
  );
  // The API alone ends at once without its servers.
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(ROOT, "dist/main.js"), "--api"],
    { cwd: path, encoding: "utf8", env: { PATH: process.env.PATH ?? "" } },
  );
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(lines).toEqual([
    expect.objectContaining({
      level: 40,
      msg: "REDIS_UR in .env is no variable of Souk; did you mean REDIS_URL?",
    }),
  ]);
  expect([status, stderr]).toEqual([1, expect.stringContaining("REDIS_URL")]);
  expect(`${stdout}${stderr}`).not.toMatch(/hunter2|MY_KEY/);
});
