/** The port of `npm start`, asked for by scripts/setup.mjs before anything is installed. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockDataDir } from "../../../src/embedded/data-lock.js";
import { clone, freshClone, programs, setup, startSetup } from "../../support/clone.js";
import { until } from "../../support/until.js";

/** A server that holds a port of loopback; closed with the test. */
async function busyPort(): Promise<{ port: number; server: Server }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return { port, server };
}

const REDIS = { "redis-server": "echo 'Redis server v=7.2.0 sha=0'" };

/** What a start in a fresh clone says, and what it called. */
async function refused(root: string, env: Record<string, string>) {
  const { path, calls } = await programs({ npm: "exit 0" });
  const { code, output } = await setup(root, "start", { PATH: path, ...env });
  expect(code).toBe(1);
  return { output, calls: await calls() };
}

test("A busy port is told before anything is installed, with a free one.", async () => {
  const { port } = await busyPort();
  const { output, calls } = await refused(await freshClone(), { PORT: `${port}` });
  expect(output).toMatch(new RegExp(`^127\\.0\\.0\\.1:${port} is in use by another program`));
  expect(Number(/PORT=(\d+) npm start$/.exec(output)?.[1])).toBeGreaterThan(port);
  expect(calls).toEqual([]);
});

test("Host and port may stand in .env.", async () => {
  const { port } = await busyPort();
  const root = await freshClone();
  await writeFile(join(root, ".env"), `HOST=127.0.0.1\nPORT=${port}\n`);
  const program = join(root, "scripts/setup.mjs");
  const { status, stderr } = spawnSync(process.execPath, [program, "start"], {
    cwd: root,
    env: {},
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr).toContain(`127.0.0.1:${port} is in use`);
});

test("A port that was taken on another address is free for us.", async () => {
  const { port } = await busyPort();
  const { path } = await programs(REDIS);
  const env = { PATH: path, PORT: `${port}`, HOST: "127.0.0.2" };
  expect(await setup(await clone(), "start", env)).toEqual({ code: 0, output: "" });
});

test("What is no port is left to the server, which names all faults.", async () => {
  const { path } = await programs(REDIS);
  for (const PORT of ["eighty", "-1", "70000"])
    expect(await setup(await clone(), "start", { PATH: path, PORT })).toEqual({
      code: 0,
      output: "",
    });
});

/** A clone whose data folder this process holds, and a port that it listens on. */
async function held(stopping: AbortSignal) {
  const root = await clone();
  const dataDir = join(root, ".data");
  await mkdir(dataDir);
  const lock = await lockDataDir(dataDir, { stopping });
  onTestFinished(() => lock.close());
  return { root, lock, ...(await busyPort()), path: (await programs(REDIS)).path };
}

test("A second start from one folder names the first, and no other port.", async () => {
  const { root, port, path } = await held(new AbortController().signal);
  const { code, output } = await setup(root, "start", { PATH: path, PORT: `${port}` });
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`runs from this folder already, as process ${process.pid}`));
  expect(output).not.toContain("npm start");
});

test("A predecessor that is stopping is waited for.", async () => {
  const { root, port, server, path } = await held(AbortSignal.abort());
  const start = startSetup(root, "start", { PATH: path, PORT: `${port}` });
  await until("the wait", () =>
    start.output().includes(`waiting for process ${process.pid}, which is stopping`),
  );
  server.close();
  expect((await start.outcome).code).toBe(0);
});

test("A port that stays busy after the predecessor is gone is refused.", async () => {
  const { root, port, lock, path } = await held(AbortSignal.abort());
  const start = startSetup(root, "start", { PATH: path, PORT: `${port}` });
  await until("the wait", () => start.output().includes("which is stopping"));
  await lock.close();
  expect(await start.outcome).toMatchObject({
    code: 1,
    output: expect.stringContaining("is in use by another program"),
  });
});
