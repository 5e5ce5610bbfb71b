#!/usr/bin/env node
/**
 * `npm run drill`: the tests whose size `npm test` samples (test/support/drill.ts), at full size,
 * then the suites of the server in each of its modes, and the end-to-end suites on a Redis Cluster
 * and on a Sentinel set. Words after `--` go to Vitest; with any, modes and topologies are left
 * out, unless `TEST_REDIS_TOPOLOGY=cluster` or `sentinel` asks for one.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");

/** Suites that know nothing of how many servers Redis is. */
const SUITES = [
  ...[
    "accounts",
    "sign-in",
    "sessions",
    "consistency",
    "reviews",
    "documents",
    "limits",
    "counters",
  ],
  ...["cart", "cart-live", "leaderboards", "leaderboard-live", "notifications", "broadcast"],
].map((name) => `test/e2e/${name}.test.ts`);

/** Suites whose apps answer requests, and how these apps are started (test/support/mode.ts). */
const SERVER_SUITES = ["test/e2e", "test/server", "test/attack", "test/app"];
const MODES = [
  // Reports end the use of stored answers. They are on by default outside of production.
  { env: { CACHE_REPORT: "request" } },
  { env: { CACHE_REPORT: "request", COMPILE_QUERIES: "off" } },
  {
    env: { CACHE_REPORT: "request", STORED_ANSWERS_BYTES: "0" },
    // They wait for a stored answer.
    without: ["stored-answers*", "shared-get", "answer-in-parts", "floods"],
  },
];

function run(words, env = {}) {
  const args = [vitest, "run", "--testTimeout=3600000", "--hookTimeout=3600000", ...words];
  return (
    spawnSync(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, DRILL: "full", ...env },
      stdio: "inherit",
    }).status ?? 1
  );
}

const words = process.argv.slice(2);
const chosen = process.env.TEST_REDIS_TOPOLOGY;
const results = chosen ? [run(words.length > 0 ? words : SUITES)] : [run(words)];
if (!chosen && words.length === 0) {
  for (const { env, without = [] } of MODES) {
    const excluded = without.flatMap((name) => ["--exclude", `**/${name}.test.ts`]);
    const words = [...SERVER_SUITES, ...excluded];
    results.push(run(words, { DRILL: "sample", TEST_APP_ENV: JSON.stringify(env) }));
  }
  for (const topology of ["cluster", "sentinel"])
    results.push(run(SUITES, { TEST_REDIS_TOPOLOGY: topology }));
}
process.exit(Math.max(...results));
