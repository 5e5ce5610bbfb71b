/** scripts/build.mjs, in a small repository of its own. */
import { spawnSync } from "node:child_process";
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
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/files.js";
import { ROOT } from "../support/node-process.js";

async function repository(): Promise<string> {
  const { path, remove } = await temporaryFolder("build");
  onTestFinished(remove);
  for (const name of ["scripts", "tsconfig.json", "tsconfig.build.json", "package.json"])
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
  expect(build(root)).toEqual({ code: 0, output: expect.stringContaining("compiled src") });
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
  expect(build(root).output).toContain("compiled src");
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

test("A failed build is repeated by the next.", async () => {
  const root = await repository();
  await writeFile(join(root, "src/main.ts"), 'export const port: number = "4000";\n');
  expect(build(root)).toEqual({ code: 2, output: expect.stringContaining("TS2322") });
  expect(build(root).code).toBe(2);
  await writeFile(join(root, "src/main.ts"), "export const port: number = 4000;\n");
  expect(build(root).code).toBe(0);
});
