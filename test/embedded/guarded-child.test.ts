/** A guarded server ends with its owner, also when it does not want to. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { GUARD } from "../../src/embedded/guarded-child.js";
import { temporaryFolder } from "../support/files.js";
import { ensureBuilt, runModule } from "../support/node-process.js";
import { until } from "../support/until.js";

/** A server that takes no notice of SIGTERM, as a Redis that cannot write its snapshot does. */
const STUBBORN = 'trap "" TERM; while :; do sleep 0.1; done';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * A process that owns a stubborn server, says its pid, and stops it when its standard input says
 * so.
 */
function ownerOf() {
  ensureBuilt();
  return runModule(`
    import { startGuarded } from "./dist/embedded/guarded-child.js";
    const server = await startGuarded({
      command: "/bin/sh",
      args: ["-c", ${JSON.stringify(STUBBORN)}],
      stopSignal: "TERM",
      graceSeconds: 1,
    });
    process.once("SIGTERM", async () => { await server.stop(); process.exit(0); });
    console.log(server.pid);
    setInterval(() => {}, 1000);
  `);
}

test.each(["SIGTERM", "SIGKILL"] as const)(
  "A server that will not stop is killed when its owner ends by %s.",
  async (signal) => {
    const owner = ownerOf();
    const pid = Number(await owner.nextLine());
    expect(isAlive(pid)).toBe(true);
    await owner.end(signal);
    await until("the server to be gone", () => !isAlive(pid));
  },
);

test("A server ends with an owner that is gone before the guard has said its pid.", async () => {
  const { path, remove } = await temporaryFolder("guard");
  onTestFinished(remove);
  const pidFile = join(path, "pid");
  const server = 'echo $$ > "$0"; exec sleep 1000';
  // What the guard prints has no reader any more: SIGPIPE ends its shell.
  const guarded = `mkfifo "$2.out"; cat "$2.out" >/dev/null & reader=$!; exec 4>"$2.out"
    kill $reader; wait $reader
    /bin/sh -c "$0" sh TERM 1 /bin/sh -c "$1" "$2" >&4; read -r _`;
  const pipeline = spawn("/bin/sh", ["-c", guarded, GUARD, server, pidFile], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  // The file is there before its text.
  const pid = await until(
    "the server to start",
    async () => Number(await readFile(pidFile, "utf8")) || null,
  );
  pipeline.stdin.end();
  await until("the server to be gone", () => !isAlive(pid));
});
