#!/usr/bin/env node
/**
 * `npm test`: everything that judges this tree, in the order of what it costs. Formatting, types,
 * the import law, unused code and words side by side; then the build; then every test. Ends with
 * one line: "N passed, N failed".
 *
 * Words after `--` go to Vitest: `npm test -- test/redis` runs those tests alone, after the checks.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser } from "./find.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RESULTS = join(ROOT, ".cache", "test-results.json");
const { resolve } = createRequire(join(ROOT, "package.json"));

/** The file behind a package's command: running it with our own Node needs no shell and no PATH. */
function bin(name, command = name) {
  const manifest = join(ROOT, "node_modules", name, "package.json");
  const { bin: commands } = JSON.parse(readFileSync(manifest, "utf8"));
  return join(
    ROOT,
    "node_modules",
    name,
    typeof commands === "string" ? commands : commands[command],
  );
}

/** Judged before anything runs. Each is one process and says what to do when it fails. */
const CHECKS = [
  {
    name: "lint and format",
    args: [bin("@biomejs/biome", "biome"), "check", "--error-on-warnings", "."],
    advice: "`npm run format` repairs what can be repaired",
  },
  {
    name: "types",
    args: [resolve("typescript/bin/tsc"), "--noEmit"],
    advice: "see the errors above",
  },
  {
    name: "import law",
    args: [bin("dependency-cruiser", "depcruise"), "src", "--config", ".dependency-cruiser.cjs"],
    advice: "each rule says where the line belongs",
  },
  { name: "unused code", args: [bin("knip")], advice: "remove it, or use it" },
  {
    name: "words",
    args: [join(ROOT, "scripts", "lint-words.mjs")],
    advice: "docs/glossary.md lists the terms",
  },
];

function run(args, { quiet }) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    });
    const output = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => output.push(chunk));
    child.once("close", (code) =>
      done({ code: code ?? 1, output: Buffer.concat(output).toString() }),
    );
  });
}

async function check({ name, args, advice }) {
  const from = performance.now();
  const { code, output } = await run(args, { quiet: true });
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  if (code === 0) console.log(`✓ ${name} (${seconds} s)`);
  else console.log(`✗ ${name} (${seconds} s)\n${output}\n${name}: ${advice}`);
  return code === 0;
}

function finish(passed, failed) {
  if (!findBrowser())
    console.log(
      "note: no Chromium or Chrome was found, so the tests that drive a browser were left out",
    );
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

/**
 * Counts tests; a file that could not even be loaded counts as one failure, and so does an error
 * outside every test.
 */
function count(code) {
  if (!existsSync(RESULTS)) return [0, 1];
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(RESULTS, "utf8"));
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const failed = numFailedTests + broken.length;
  return [numPassedTests, failed === 0 && code !== 0 ? 1 : failed];
}

const verdicts = [];
// Two at a time: more would only take turns on the processors of a small machine.
for (let at = 0; at < CHECKS.length; at += 2)
  verdicts.push(...(await Promise.all(CHECKS.slice(at, at + 2).map(check))));
verdicts.push(
  await check({
    name: "build",
    args: [join(ROOT, "scripts", "build.mjs")],
    advice: "see the errors above",
  }),
);
const bad = verdicts.filter((good) => !good).length;
if (bad > 0) finish(0, bad);

mkdirSync(join(ROOT, ".cache"), { recursive: true });
rmSync(RESULTS, { force: true });
const vitest = [
  bin("vitest"),
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${RESULTS}`,
  ...process.argv.slice(2),
];
const { code } = await run(vitest, { quiet: false });
finish(...count(code));
