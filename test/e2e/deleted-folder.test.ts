/**
 * The data folder of `npm start` is deleted while it runs: the built tree as a process of its own.
 * One shop is filled once, and copied for each test.
 */
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type AppProcess, startProcess } from "../support/app.js";
import { temporaryFolder } from "../support/files.js";
import { post } from "../support/graphql.js";
import { scaled } from "../support/pace.js";
import { until } from "../support/until.js";

/** Filling the shop takes some ten seconds of a processor, and as much more as others use it. */
const FIRST_START_MS = scaled(120_000);

const embedded = (dataDir: string) => ({ DATA_DIR: dataDir, ADMIN_TOKEN: "" });

let filled: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  filled = await temporaryFolder("filled");
  const app = await startProcess(["dist/main.js"], embedded(join(filled.path, "data")));
  expect(await app.end()).toBe(0);
}, FIRST_START_MS);
afterAll(() => filled?.remove());

/** A running shop, in a data folder of its own. */
async function runningShop(): Promise<{ app: AppProcess; data: string }> {
  const { path, remove } = await temporaryFolder("deleted");
  onTestFinished(remove);
  const data = join(path, "data");
  await cp(join(filled.path, "data"), data, { recursive: true, filter: isNoSocket });
  const app = await startProcess(["dist/main.js"], embedded(data));
  onTestFinished(() => void app.child.kill("SIGKILL"));
  return { app, data };
}

const isNoSocket = (path: string): boolean => !/\/(run|lock-[^/]*)$/.test(path);

/** Waits for the end by itself, and says what the log said last. */
async function ending(app: AppProcess): Promise<Record<string, unknown>> {
  await until("the process to end", () => app.child.exitCode !== null || app.child.signalCode);
  expect(app.child.exitCode).toBe(1);
  const line = app
    .output()
    .split("\n")
    .find((one) => one.includes('"level":60'));
  return JSON.parse(line ?? "null");
}

const isGone = (pid: number): boolean => {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
};

const redisPidIn = async (data: string): Promise<number> =>
  Number(await readFile(join(data, "redis", "redis.pid"), "utf8"));

test.each([
  ["The whole folder", "", ["", "/redis", "/postgres"]],
  ["The folder of the database", "postgres", ["/postgres"]],
  ["The folder of Redis", "redis", ["/redis"]],
])("%s is deleted: a fatal line names it, and the exit code is 1.", async (_, part, gone) => {
  const { app, data } = await runningShop();
  const redis = await redisPidIn(data);
  expect(isGone(redis)).toBe(false);
  await rm(join(data, part), { recursive: true });
  expect(await ending(app)).toMatchObject({
    gone: gone.map((below) => `${data}${below}`),
    msg: expect.stringMatching(/deleted or replaced.*start again/),
  });
  await until("redis-server to end", () => isGone(redis));
});

test.each([
  ["deleted", (data: string) => rm(data, { recursive: true })],
  ["moved away", (data: string) => rename(data, `${data}-moved`)],
])("A folder that was %s and made anew meanwhile is left as it is.", async (_, takeAway) => {
  const { app, data } = await runningShop();
  const redis = await redisPidIn(data);
  await takeAway(data);
  const files = ["postgres/PG_VERSION", "redis/redis.pid", "run/redis.sock", "admin-token"];
  for (const file of files) {
    await mkdir(join(data, file, ".."), { recursive: true });
    await writeFile(join(data, file), "new");
  }
  // Statements meanwhile are refused, or served from caches.
  await post(app.url, "{ products(first: 1) { totalCount } }").catch(() => {});
  await ending(app);
  await until("redis-server to end", () => isGone(redis));
  const left = await readdir(data, { recursive: true });
  expect(left.sort()).toEqual(["postgres", "redis", "run", ...files].sort());
});

test("A folder that is deleted while the shop is filled ends the start in the same way.", async () => {
  const { path, remove } = await temporaryFolder("filling");
  onTestFinished(remove);
  const data = join(path, "data");
  const app = await startProcess(["dist/main.js"], embedded(data), /filling the shop/);
  onTestFinished(() => void app.child.kill("SIGKILL"));
  const redis = await redisPidIn(data);
  await rm(data, { recursive: true, force: true, maxRetries: 10 });
  expect(await ending(app)).toMatchObject({ msg: expect.stringContaining("start again") });
  await until("redis-server to end", () => isGone(redis));
});
