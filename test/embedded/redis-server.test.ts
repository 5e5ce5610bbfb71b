import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { StartupError } from "../../src/domain/errors.js";
import { startEmbeddedRedis } from "../../src/embedded/redis-server.js";
import { socketFolder } from "../../src/embedded/socket-path.js";
import { temporaryFolder } from "../support/files.js";
import { rememberingLog, testLog } from "../support/log.js";
import { ensureBuilt, runModule } from "../support/node-process.js";
import { until } from "../support/until.js";

async function dataFolder(): Promise<string> {
  const { path, remove } = await temporaryFolder("data");
  onTestFinished(remove);
  return path;
}

async function start(dataDir: string, log = testLog()) {
  const server = await startEmbeddedRedis({ dataDir, log });
  onTestFinished(() => server.close());
  return server;
}

function clientOf({ url }: { url: string }): Redis {
  const redis = new Redis(url.slice("unix:".length));
  redis.on("error", () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * A process that starts the embedded server from the built tree, says its pid, and lives until it
 * is ended.
 */
function ownerOf(dataDir: string) {
  ensureBuilt();
  return runModule(`
    import { startEmbeddedRedis } from "./dist/embedded/redis-server.js";
    const log = { info() {}, warn() {}, error() {} };
    const server = await startEmbeddedRedis({ dataDir: ${JSON.stringify(dataDir)}, log });
    console.log(server.pid);
    setInterval(() => {}, 1000);
  `);
}

describe("the embedded redis-server", () => {
  test("Data survives a stop and a start.", async () => {
    const dataDir = await dataFolder();
    const first = await startEmbeddedRedis({ dataDir, log: testLog() });
    await clientOf(first).set("cart", "7");
    await first.close();
    expect(isAlive(first.pid)).toBe(false);
    expect(await clientOf(await start(dataDir)).get("cart")).toBe("7");
  });

  test("The server can be ended while it is coming up again.", async () => {
    const dataDir = await dataFolder();
    // Comes up slowly, and says each time that it is on its way.
    const slow = join(dataDir, "slow-redis");
    await writeFile(
      slow,
      `#!/bin/sh\necho >> ${dataDir}/starts\nsleep 0.5\nexec redis-server "$@"\n`,
      { mode: 0o700 },
    );
    const server = await startEmbeddedRedis({ dataDir, log: testLog(), binaries: [slow] });
    process.kill(server.pid, "SIGKILL");
    await until(
      "the second start",
      async () => (await readFile(join(dataDir, "starts"), "utf8")).length === 2,
    );
    await server.close();
    expect(isAlive(server.pid)).toBe(false);
  });

  test("The server listens on no port, in a folder closed to other users, and never evicts.", async () => {
    const dataDir = await dataFolder();
    const server = await start(dataDir);
    const [, port] = (await clientOf(server).config("GET", "port")) as string[];
    const [, policy] = (await clientOf(server).config("GET", "maxmemory-policy")) as string[];
    expect([port, policy]).toEqual(["0", "noeviction"]);
    expect((await stat(await socketFolder(dataDir))).mode & 0o777).toBe(0o700);
  });

  test("The server writes AOF every second, and RDB.", async () => {
    const redis = clientOf(await start(await dataFolder()));
    expect(await redis.config("GET", "append*")).toEqual(
      expect.arrayContaining(["appendonly", "yes", "appendfsync", "everysec"]),
    );
    expect(await redis.config("GET", "save")).toEqual(["save", "3600 1 300 100 60 10000"]);
  });

  test("The server works in a folder whose path is longer than a socket's may be.", async () => {
    const dataDir = join(await dataFolder(), "a-folder-with-quite-a-long-name".repeat(4), "data");
    expect(await clientOf(await start(dataDir)).ping()).toBe("PONG");
  });

  test("A server that dies is started again, with its data.", async () => {
    const server = await start(await dataFolder());
    const { pid } = server;
    const redis = clientOf(server);
    await redis.set("kept", "yes");
    // A write is safe after the next fsync; the replies of the AOF say when that was.
    await until("the write to be in the file", async () =>
      /aof_pending_bio_fsync:0/.test(await redis.info("persistence")),
    );
    process.kill(pid, "SIGKILL");
    await until("another server", () => server.pid !== pid);
    expect(await clientOf(server).get("kept")).toBe("yes");
  });

  test("Without a binary the start names the three ways to get one.", async () => {
    const starting = startEmbeddedRedis({
      dataDir: await dataFolder(),
      log: testLog(),
      binaries: ["no-such-server", "nor-this"],
      engines: [],
    });
    await expect(starting).rejects.toThrow(StartupError);
    await expect(starting).rejects.toThrow(/system package[\s\S]*container[\s\S]*REDIS_URL/);
  });

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "The server does not outlive a process that ends by %s.",
    async (signal) => {
      const owner = ownerOf(await dataFolder());
      const pid = Number(await owner.nextLine());
      expect(isAlive(pid)).toBe(true);
      await owner.end(signal);
      await until("redis-server to end", () => !isAlive(pid));
    },
  );

  test("A server left by an earlier run is stopped before a new one opens its files.", async () => {
    const dataDir = await dataFolder();
    const socket = join(await socketFolder(dataDir), "redis.sock");
    const orphan = spawn(
      "redis-server",
      ["--port", "0", "--unixsocket", socket, "--dir", dataDir],
      { stdio: "ignore" },
    );
    onTestFinished(() => void orphan.kill("SIGKILL"));
    const ended = once(orphan, "exit");
    const left = clientOf({ url: `unix:${socket}` });
    await until("the orphan", () => left.ping());
    const { log, lines } = rememberingLog();
    const server = await start(dataDir, log);
    await ended;
    expect(server.pid).not.toBe(orphan.pid);
    expect(lines.join()).toContain("left behind");
  });

  test("An unreadable file ends the start with the server's message.", async () => {
    const dataDir = await dataFolder();
    const first = await startEmbeddedRedis({ dataDir, log: testLog() });
    await clientOf(first).set("a", "1");
    await first.close();
    const { writeFile } = await import("node:fs/promises");
    await writeFile(
      join(dataDir, "redis", "appendonlydir", "appendonly.aof.manifest"),
      "nonsense\n",
    );
    await expect(startEmbeddedRedis({ dataDir, log: testLog() })).rejects.toThrow(
      /did not start[\s\S]*manifest/,
    );
  });
});
