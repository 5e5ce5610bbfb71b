#!/usr/bin/env node
/**
 * `npm run drill`: the tests whose size `npm test` samples (test/support/drill.ts), at full size. Words after `--` go to Vitest.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
const args = ["run", "--testTimeout=3600000", ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [vitest, ...args], { cwd: ROOT, env: { ...process.env, DRILL: "full" }, stdio: "inherit" });
process.exit(status ?? 1);
