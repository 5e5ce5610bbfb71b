/** scripts/build.mjs, in a small repository of its own. */
import { execFile, spawnSync } from "node:child_process";
import {
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/files.js";
import { ROOT } from "../support/node-process.js";

async function repository(): Promise<string> {
  const { path, remove } = await temporaryFolder("build");
  onTestFinished(remove);
  for (const name of ["scripts", "tsconfig.json", "package.json"])
    await cp(join(ROOT, name), join(path, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(path, "node_modules"));
  await mkdir(join(path, "src/redis/client"), { recursive: true });
  await mkdir(join(path, "src/db/migrations/meta"), { recursive: true });
  await writeFile(join(path, "src/main.ts"), "export const port: number = 4000;\n");
  await writeFile(join(path, "src/redis/client/lease.acquire-2.lua"), "return 1\n");
  await writeFile(join(path, "src/db/migrations/0000_first.sql"), "SELECT 1;\n");
  await writeFile(join(path, "src/db/migrations/meta/_journal.json"), "{}\n");
  // As in a checkout: everything is older than the build.
  const past = new Date(Date.now() - 60_000);
  for (const file of await readdir(path, { recursive: true }))
    if (!file.startsWith("node_modules")) await utimes(join(path, file), past, past);
  return path;
}

function build(root: string): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], {
    cwd: root,
    encoding: "utf8",
  });
  return { code: status, output: `${stdout}${stderr}` };
}

test("The build holds code, Lua and migrations, and a second one does nothing.", async () => {
  const root = await repository();
  expect(build(root)).toEqual({ code: 0, output: expect.stringContaining("src built into dist") });
  const built = await readdir(join(root, "dist"), { recursive: true });
  expect(built).toEqual(
    expect.arrayContaining([
      "main.js",
      "redis/client/lease.acquire-2.lua",
      "db/migrations/0000_first.sql",
      "db/migrations/meta/_journal.json",
    ]),
  );
  expect(build(root)).toEqual({ code: 0, output: "" });
});

test("A change of a Lua script alone is built.", async () => {
  const root = await repository();
  build(root);
  await writeFile(join(root, "src/redis/client/lease.acquire-2.lua"), "return 2\n");
  expect(build(root).output).toContain("src built into dist");
  expect(await readFile(join(root, "dist/redis/client/lease.acquire-2.lua"), "utf8")).toBe(
    "return 2\n",
  );
});

test("A file without source leaves the build, so a removed migration is not applied.", async () => {
  const root = await repository();
  build(root);
  await rm(join(root, "src/db/migrations/0000_first.sql"));
  build(root);
  await expect(stat(join(root, "dist/db/migrations/0000_first.sql"))).rejects.toThrow("ENOENT");
  await expect(stat(join(root, "dist/main.js"))).resolves.toBeDefined();
});

test("A build that fails writes nothing, and is repeated by the next.", async () => {
  const root = await repository();
  await writeFile(join(root, "src/main.ts"), "export const port: number = ;\n");
  await writeFile(join(root, "src/worker.ts"), "export const good = true;\n");
  expect(build(root)).toEqual({ code: 1, output: expect.stringMatching(/src\/main\.ts:1:2\d/) });
  expect(await readdir(join(root, "dist"), { recursive: true }).catch(() => [])).not.toContain(
    "worker.js",
  );
  expect(build(root).code).toBe(1);
  await writeFile(join(root, "src/main.ts"), "export const port: number = 4000;\n");
  expect(build(root).code).toBe(0);
});

test("A failed build leaves the one before, which is not taken for current.", async () => {
  const root = await repository();
  build(root);
  await writeFile(join(root, "src/main.ts"), "export const port: number = ;\n");
  expect(build(root).code).toBe(1);
  expect(await readFile(join(root, "dist/main.js"), "utf8")).toContain("const port =");
  expect(build(root).code).toBe(1);
});

test("An error of types does not stop a build: `npm test` finds it.", async () => {
  const root = await repository();
  await writeFile(join(root, "src/main.ts"), 'export const port: number = "4000";\n');
  expect(build(root).code).toBe(0);
});

test("Decorators and class fields are compiled as tsconfig.json says.", async () => {
  const root = await repository();
  await writeFile(
    join(root, "src/main.ts"),
    `const seen: string[] = [];
     const note = (target: object, key: string) => { seen.push(key + (key in target)); };
     class Base { set field(_: string) { seen.push("setter"); } }
     class Noted extends Base { @note name = "x"; override field = "y"; }
     console.log(JSON.stringify([seen, Object.keys(new Noted())]));\n`,
  );
  expect(build(root).code).toBe(0);
  const { stdout } = spawnSync(process.execPath, ["dist/main.js"], { cwd: root, encoding: "utf8" });
  // Legacy decorators get a target and a key; fields are defined, not assigned.
  expect(JSON.parse(stdout)).toEqual([["namefalse"], ["name", "field"]]);
});

test("A map leads from dist to the source, without a copy of it.", async () => {
  const root = await repository();
  build(root);
  const map = JSON.parse(await readFile(join(root, "dist/main.js.map"), "utf8"));
  expect(map.sources).toEqual(["../src/main.ts"]);
  expect(map.sourcesContent ?? []).not.toContainEqual(expect.any(String));
});

test("What an earlier compiler left in dist is removed.", async () => {
  const root = await repository();
  await mkdir(join(root, "dist"));
  await writeFile(join(root, "dist/.tsbuildinfo"), "{}");
  build(root);
  await expect(stat(join(root, "dist/.tsbuildinfo"))).rejects.toThrow("ENOENT");
});

test("Builds at once build once, and the lock of a dead process is taken over.", async () => {
  const root = await repository();
  await mkdir(join(root, ".cache"));
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  await writeFile(join(root, ".cache/build.lock"), `${pid}`);
  const outputs = await Promise.all([1, 2, 3].map(() => builtBeside(root)));
  expect(outputs.filter((output) => output.includes("src built into dist"))).toHaveLength(1);
});

test("A lock that grew old is taken over, although a process has its pid.", async () => {
  const root = await repository();
  await mkdir(join(root, ".cache"));
  const lock = join(root, ".cache/build.lock");
  await writeFile(lock, `${process.pid}`);
  const hourAgo = new Date(Date.now() - 3_600_000);
  await utimes(lock, hourAgo, hourAgo);
  expect(await builtBeside(root)).toContain("src built into dist");
});

/** A build in a process that others run beside. */
async function builtBeside(root: string): Promise<string> {
  const { stderr } = await promisify(execFile)(process.execPath, ["scripts/build.mjs"], {
    cwd: root,
  });
  return stderr;
}
