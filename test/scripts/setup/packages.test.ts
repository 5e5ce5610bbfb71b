/** The npm packages of scripts/setup.mjs, with an npm of the test's making. */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clone, freshClone, installed, linesOf, programs, setup } from "../../support/clone.js";
import { ROOT } from "../../support/node-process.js";

/** An npm that leaves behind what it was asked for. */
async function npm() {
  const list = (entries: string) => `echo '{"packages":{${entries}}}'`;
  const needed = '"node_modules/needed":{"version":"1.0.0"}';
  const tool = ',"node_modules/tool":{"version":"1.0.0","dev":true}';
  return programs({
    npm:
      `mkdir -p node_modules; case "$*" in *--omit=dev*) ${list(needed)};; ` +
      `*) ${list(needed + tool)};; esac >node_modules/.package-lock.json`,
  });
}

/** What npm was asked for, in runs of setup for these purposes. */
async function asked(root: string, purposes: string[], env = {}): Promise<string[]> {
  const { path, calls } = await npm();
  for (const purpose of purposes)
    expect(await setup(root, purpose, { PATH: path, ...env })).toMatchObject({ code: 0 });
  return (await calls()).map((call) => call.replace(" --no-audit --no-fund", ""));
}

test("A start installs what a start needs, in one line with the time it took.", async () => {
  const { path } = await npm();
  const outcome = await setup(await freshClone(), "run", { PATH: path });
  expect(linesOf(outcome)).toEqual(["setup: npm packages, by `npm ci --omit=dev`"]);
  expect(outcome.output).toMatch(/ \(\d+\.\d s\)$/);
});

test.each([undefined, "production"])(
  "A test after a start adds the development packages, with NODE_ENV %s.",
  async (mode) => {
    const env = mode ? { NODE_ENV: mode } : {};
    expect(await asked(await freshClone(), ["run", "deps", "deps", "run"], env)).toEqual([
      "npm ci --omit=dev",
      "npm install --no-save --include=dev",
    ]);
  },
);

test("A command of development installs all packages at once.", async () => {
  expect(await asked(await freshClone(), ["deps", "run"])).toEqual(["npm ci --include=dev"]);
});

test("A start that renews packages keeps those of development.", async () => {
  const root = await freshClone();
  await installed(root, { needed: "0.9.0", tool: "1.0.0" });
  expect(await asked(root, ["run", "deps"])).toEqual(["npm ci --include=dev"]);
});

test("A start passes over a development package that is out of date.", async () => {
  const root = await freshClone();
  await installed(root, { needed: "1.0.0", tool: "0.9.0" });
  expect(await asked(root, ["run"])).toEqual([]);
});

test("Packages are not added to a manifest that the lockfile does not match.", async () => {
  const root = await freshClone();
  await installed(root, { needed: "1.0.0" });
  const manifest = { name: "clone", devDependencies: { another: "2.0.0" } };
  await writeFile(join(root, "package.json"), JSON.stringify(manifest));
  expect(await asked(root, ["deps"])).toEqual(["npm ci --include=dev"]);
});

test("An install that was cut short counts as none.", async () => {
  const root = await clone();
  await writeFile(join(root, "node_modules/.package-lock.json"), '{"packages":{"node_mod');
  expect(await asked(root, ["run"])).toEqual(["npm ci --omit=dev"]);
});

test("Two set-ups at once install once.", async () => {
  const root = await freshClone();
  const { path, calls } = await npm();
  const both = await Promise.all([1, 2].map(() => setup(root, "run", { PATH: path })));
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(await calls()).toHaveLength(1);
});

test("Packages that match the lockfile are left alone in silence.", async () => {
  const { path } = await programs({});
  for (const purpose of ["run", "build", "deps"])
    expect(await setup(await clone(), purpose, { PATH: path })).toEqual({ code: 0, output: "" });
});

test("The tests alone install the packages of the storefront.", async () => {
  const root = await clone();
  const storefront = join(root, "examples/storefront");
  await mkdir(storefront, { recursive: true });
  await copyFile(join(root, "package-lock.json"), join(storefront, "package-lock.json"));
  expect(await asked(root, ["run", "deps"])).toEqual([]);
  const { path } = await npm();
  const more = await programs({
    "redis-server": "echo 'Redis server v=7.0.15'",
    chromium: "exit 0",
  });
  const env = { PATH: `${path}:${more.path}`, TEST_DATABASE_URL: "postgres://127.0.0.1/test" };
  expect(linesOf(await setup(root, "test", env))).toEqual([
    "setup: packages of examples/storefront, by `npm ci --include=dev`",
  ]);
  expect(await setup(root, "test", env)).toEqual({ code: 0, output: "" });
});

test("A failed download ends set-up with what npm said and the likely reason.", async () => {
  const { path } = await programs({ npm: "echo 'npm error ENOTFOUND' >&2; exit 1" });
  const { code, output } = await setup(await freshClone(), "run", { PATH: path });
  expect(code).toBe(1);
  expect(output).toMatch(/ENOTFOUND[\s\S]*registry cannot be reached/);
  expect(output).not.toMatch(/\bat .*\.mjs:/);
});

test("An npm that leaves packages out is not taken for one that installed them.", async () => {
  const { path } = await programs({ npm: "exit 0" });
  expect((await setup(await freshClone(), "run", { PATH: path })).code).toBe(1);
});

test("A second set-up of this tree for the tests does and prints nothing.", async () => {
  const env = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" };
  await setup(ROOT, "test", env);
  expect(await setup(ROOT, "test", env)).toEqual({ code: 0, output: "" });
});
