/**
 * The embedded Redis as a container. The engine is a stand-in that runs the image's command as a
 * process here: no engine needs to be on this machine.
 */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { findRedis } from "../../scripts/find.mjs";
import { StartupError } from "../../src/domain/errors.js";
import { REDIS_IMAGE } from "../../src/embedded/redis-container.js";
import { startEmbeddedRedis } from "../../src/embedded/redis-server.js";
import { temporaryFolder } from "../support/files.js";
import { testLog } from "../support/log.js";
import { until } from "../support/until.js";

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder("container");
  onTestFinished(remove);
  return path;
}

/**
 * An engine whose `run` reads where a container would have its data and its port. Notes each call.
 */
async function engine(
  run: string,
  { version = "Docker version 28", security = "[name=seccomp]" } = {},
): Promise<{ path: string; calls(): Promise<string> }> {
  const place = await folder();
  const path = join(place, "docker");
  const log = join(place, "calls");
  const text = `#!/bin/sh
    echo "$*" >>"${log}"
    case "$1" in
      image) test "$3" = ${REDIS_IMAGE}; exit;; stop|rm) exit 1;;
      --version) echo "${version}"; exit;; info) echo "${security}"; exit;;
    esac
    while [ $# -gt 0 ]; do case "$1" in
      --volume) data=\${2%%:/data*};; --publish) port=\${2#127.0.0.1:}; port=\${port%:6379};;
    esac; shift; done
    ${run}\n`;
  await writeFile(path, text, { mode: 0o755 });
  return { path, calls: () => readFile(log, "utf8") };
}

const SERVER =
  `sed "s|^dir /data|dir $data|" "$data/container.conf" >"$data/here.conf"; ` +
  `exec "${findRedis()}" "$data/here.conf" --port "$port" --bind 127.0.0.1`;

async function start(path: string, dataDir: string) {
  const options = { dataDir, log: testLog(), binaries: ["no-such-server"], engines: [path] };
  const server = await startEmbeddedRedis(options);
  onTestFinished(() => server.close());
  return server;
}

function clientOf(url: string): Redis {
  const client = new Redis(url, { lazyConnect: true });
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

test("Without a binary a container serves, on loopback and behind a password.", async () => {
  const { path, calls } = await engine(SERVER);
  const dataDir = await folder();
  const server = await start(path, dataDir);
  const { port, password } = new URL(server.url);
  expect(await clientOf(server.url).set("key", "kept")).toBe("OK");
  await expect(clientOf(`redis://127.0.0.1:${port}`).get("key")).rejects.toThrow("NOAUTH");
  const run = (await calls()).split("\n").find((call) => call.startsWith("run "));
  expect(run).toContain(`--publish 127.0.0.1:${port}:6379`);
  expect(run).not.toContain(password);
  const conf = join(dataDir, "redis/container.conf");
  expect((await stat(conf)).mode & 0o077).toBe(0);
});

test("Its data survive a restart, and one that was left behind is stopped first.", async () => {
  const { path, calls } = await engine(SERVER);
  const dataDir = await folder();
  const first = await start(path, dataDir);
  await clientOf(first.url).set("key", "kept");
  await first.close();
  const second = await start(path, dataDir);
  expect(await clientOf(second.url).get("key")).toBe("kept");
  const order = (await calls()).split("\n").map((call) => call.split(" ")[0] ?? "");
  const wanted = order.filter((word) => ["image", "stop", "rm", "run"].includes(word));
  expect(wanted.slice(-4)).toEqual(["image", "stop", "rm", "run"]);
});

const US = `--user ${process.getuid?.()}:${process.getgid?.()}`;
test.each([
  ["Docker", {}, true],
  ["Docker without root", { security: "[name=rootless]" }, false],
  ["Podman under the name of Docker", { version: "podman version 5.4" }, true],
])("Its files belong to us, with %s.", async (_engine, says, asUs) => {
  const { path, calls } = await engine(SERVER, says);
  await start(path, await folder());
  const run = (await calls()).split("\n").find((call) => call.startsWith("run ")) ?? "";
  expect(run.includes(US)).toBe(asUs);
  expect(run.includes("--user")).toBe(asUs);
});

test("One that is abandoned is removed by its engine.", async () => {
  const { path, calls } = await engine(SERVER);
  const server = await start(path, await folder());
  server.abandon();
  await until("its removal", async () => /rm --force souk-\w+\n$/.test(await calls()));
});

test("A container that dies is started again at the same address.", async () => {
  const { path } = await engine(SERVER);
  const server = await start(path, await folder());
  const { pid } = server;
  process.kill(pid, "SIGKILL");
  await until("another container", () => server.pid !== pid);
  expect(await clientOf(server.url).ping()).toBe("PONG");
});

test("A container that does not start is told in the engine's words.", async () => {
  const { path } = await engine('echo "the port is already allocated" >&2; exit 125');
  const starting = startEmbeddedRedis({
    dataDir: await folder(),
    log: testLog(),
    binaries: ["no-such-server"],
    engines: [path],
  });
  await expect(starting).rejects.toThrow(StartupError);
  await expect(starting).rejects.toThrow("already allocated");
});

test("An engine without the image is left alone, and the three ways are named.", async () => {
  const place = await folder();
  await writeFile(join(place, "docker"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const starting = startEmbeddedRedis({
    dataDir: await folder(),
    log: testLog(),
    binaries: ["no-such-server"],
    engines: [join(place, "docker")],
  });
  await expect(starting).rejects.toThrow(/system package[\s\S]*container[\s\S]*REDIS_URL/);
});
