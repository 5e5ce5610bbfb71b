/** A guarded server ends with its owner, also when it does not want to. */
import { expect, test } from "vitest";
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
