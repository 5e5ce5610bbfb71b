#!/usr/bin/env node
/**
 * Runs tests beside busy processes: what a test asserts must not depend on how fast the machine is.
 *
 *   node test/support/beside-busy.mjs --busy 4
 *       the whole suite, once
 *   node test/support/beside-busy.mjs --busy 8 --times 3 --timed
 *       the suites that wait for time, three times
 *   node test/support/beside-busy.mjs --busy 8 -- test/server
 *       any words for Vitest after --
 *
 * Ends with 1 at the first run that fails. The busy processes end with it.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Suites whose subject is time: windows, beats, deadlines, back-offs. A new one is one more line.
 */
const TIMED = [
  "test/e2e/cart-live.test.ts",
  "test/e2e/counters.test.ts",
  "test/e2e/leaderboard-live.test.ts",
  "test/e2e/limits.test.ts",
  "test/e2e/notifications.test.ts",
  "test/e2e/outage.test.ts",
  "test/e2e/sessions.test.ts",
  "test/faults",
  "test/redis/attempts/attempts.test.ts",
  "test/redis/client/breaker.test.ts",
  "test/redis/cache/outage.test.ts",
  "test/redis/cache/tracking.test.ts",
  "test/redis/rate-limiter/limiter.test.ts",
  "test/redis/pubsub/pubsub.test.ts",
  "test/redis/session/session.test.ts",
  "test/server/drain.test.ts",
  "test/server/fan-out/socket-writer.test.ts",
  "test/server/connection/session-sockets.test.ts",
  "test/server/websocket/websocket.test.ts",
  "test/services/leaderboard/change-publisher.test.ts",
  "test/services/shared-reads.test.ts",
  "test/services/live/live.test.ts",
  "test/services/live/event-log-subscription.test.ts",
  "test/services/counters/stats-publisher.test.ts",
];

const { values, positionals } = parseArgs({
  options: {
    busy: { type: "string", default: "4" },
    times: { type: "string", default: "1" },
    timed: { type: "boolean", default: false },
  },
  allowPositionals: true,
});

const busy = Array.from({ length: Number(values.busy) }, () =>
  spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
);
process.on("exit", () => {
  for (const child of busy) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** Resolves to the exit code of one run. */
function run() {
  const tests = values.timed ? TIMED : positionals;
  const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", "run", ...tests], {
    cwd: ROOT,
    stdio: "inherit",
  });
  return new Promise((resolve) => child.once("close", (code) => resolve(code ?? 1)));
}

for (let time = 1; time <= Number(values.times); time++) {
  const code = await run();
  process.stdout.write(
    `run ${time} of ${values.times} beside ${busy.length} busy processes: ` +
      `${code === 0 ? "passed" : "failed"}\n`,
  );
  if (code !== 0) process.exit(1);
}
process.exit(0);
