/**
 * How the tests run: each file in its own process, against the servers that test/setup-servers.ts
 * starts once per run. Decorators are compiled as tsconfig.json says (experimentalDecorators), like
 * the build does.
 */
import { defineConfig } from "vitest/config";
import { measurePace } from "./test/support/pace.js";
import { workerFiles } from "./test/support/worker-files.js";

/** Measured once, here; test files find it in their environment. */
const pace = measurePace();
process.env.TEST_PACE = String(pace);

/**
 * Ten times what a slow test takes, on this machine as it is now: a deadline in a test only catches
 * hangs.
 */
const HANG_MS = Math.ceil(60_000 * pace);

export default defineConfig({
  plugins: [workerFiles],
  resolve: {
    // graphql ships a second copy as .mjs; two copies are "another module or realm" to each other.
    alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }],
  },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    globalSetup: ["test/setup-servers.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: HANG_MS,
    hookTimeout: HANG_MS,
    teardownTimeout: HANG_MS,
    restoreMocks: true,
  },
});
