import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ensureDemoPassword, ensureServiceToken } from "../../src/embedded/secrets.js";
import { temporaryFolder } from "../support/files.js";

async function dataFolder(): Promise<string> {
  const { path, remove } = await temporaryFolder("token");
  onTestFinished(remove);
  return path;
}

test("The token is the same on every start, and another in another folder.", async () => {
  const dir = await dataFolder();
  const token = await ensureServiceToken(dir);
  expect(token).toMatch(/^[\w-]{32}$/);
  expect(await ensureServiceToken(dir)).toBe(token);
  expect(await ensureServiceToken(await dataFolder())).not.toBe(token);
});

test("Only its owner may read the token, even where the file was opened up.", async () => {
  const dir = await dataFolder();
  await ensureServiceToken(dir);
  await chmod(join(dir, "admin-token"), 0o644);
  await ensureServiceToken(dir);
  expect((await stat(join(dir, "admin-token"))).mode & 0o777).toBe(0o600);
});

test("Processes that start at once agree on one token.", async () => {
  const dir = await dataFolder();
  const tokens = await Promise.all(Array.from({ length: 10 }, () => ensureServiceToken(dir)));
  expect(new Set(tokens).size).toBe(1);
});

test("A file that holds no token is named rather than used.", async () => {
  const dir = await dataFolder();
  await writeFile(join(dir, "admin-token"), "short\n");
  await expect(ensureServiceToken(dir)).rejects.toThrow("admin-token");
  expect(await readFile(join(dir, "admin-token"), "utf8")).toBe("short\n");
});

test("The demo password is made once, then kept, and only its owner may read it.", async () => {
  const dir = await dataFolder();
  const first = await ensureDemoPassword(dir);
  expect(first).toEqual({ secret: expect.stringMatching(/^[\w-]{16}$/), isNew: true });
  expect(await ensureDemoPassword(dir)).toEqual({ ...first, isNew: false });
  expect((await stat(join(dir, "demo-password"))).mode & 0o777).toBe(0o600);
});
