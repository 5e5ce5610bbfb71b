/**
 * The example that follows notifications, as people run it: stopped, started again, and with its
 * server killed under it.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../scripts/free-port.mjs";
import { type SignedIn, signUp } from "../support/accounts.js";
import { type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import { ROOT } from "../support/node-process.js";
import { send } from "../support/notifications.js";
import type { TestDatabase } from "../support/postgres.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";

let database: TestDatabase;
let redis: RedisServer;
let other: AppProcess;
let env: Record<string, string>;
let out: string;
let user: SignedIn;

beforeAll(async () => {
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  out = mkdtempSync(join(ROOT, ".cache/example-follow-"));
  const tsc = ["node_modules/typescript/bin/tsc", "-p", "examples/client", "--outDir", out];
  expect(spawnSync(process.execPath, tsc, { cwd: ROOT, encoding: "utf8" }).stdout).toBe("");
  [database, redis] = await Promise.all([seededDatabase(10), startRedisServer()]);
  env = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  other = await startProcess(["dist/main.js", "--api"], env);
  user = await signUp(other.url);
});
afterAll(async () => {
  await other?.end();
  await redis?.stop();
  await database?.close();
  rmSync(out, { recursive: true });
});

const tell = async (title: string): Promise<void> => {
  expect(await send(other.url, { userIds: [user.id], title })).toMatchObject({ errors: [] });
};

/** Runs the example; its lines, one after the other. */
function run(url: string) {
  const child = spawn(process.execPath, [join(out, "follow.js"), url, join(out, "cursor")], {
    cwd: ROOT,
    env: { ...process.env, SHOP_TOKEN: user.token },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => String((await lines.next()).value);
  return {
    line,
    /** The next line about a notification; how often it had to connect does not matter. */
    async told(): Promise<string> {
      for (;;) {
        const next = await line();
        if (next !== "connected") return next;
      }
    },
    async end() {
      child.kill("SIGTERM");
      expect(await once(child, "exit")).toEqual([0, null]);
    },
  };
}

it("The follower misses and repeats nothing over both restarts, and shows a gap.", async () => {
  const port = String(await freePort());
  const start = () => startProcess(["dist/main.js", "--api"], { ...env, PORT: port });
  let api = await start();
  await tell("before the first start: in the inbox");
  const first = run(api.url);
  expect(await first.line()).toBe("connected");
  await tell("one");
  expect(await first.told()).toBe("test: one (2 unread)");

  await api.end("SIGKILL");
  await tell("two, while the server is down");
  api = await start();
  expect(await first.told()).toBe("test: two, while the server is down (3 unread)");
  await tell("three");
  expect(await first.told()).toBe("test: three (4 unread)");
  await first.end();

  await tell("four, while nobody follows");
  const second = run(api.url);
  expect(await second.told()).toBe("test: four, while nobody follows (5 unread)");
  await second.end();

  writeFileSync(join(out, "cursor"), "damaged");
  const third = run(api.url);
  expect(await third.told()).toMatch(/^gap: CURSOR_INVALID/);
  await tell("five");
  expect(await third.told()).toBe("test: five (6 unread)");
  await third.end();
  await api.end();
});
