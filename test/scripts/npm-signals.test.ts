/**
 * The scripts of package.json under the real npm: a signal to npm reaches the program behind it, and
 * its exit code is that of npm.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/files.js";
import { ROOT } from "../support/node-process.js";
import { until } from "../support/until.js";

/** A server in small: it says its pid and its words, and ends in order with this code. */
const server = (code: number) => `
  const timer = setInterval(() => {}, 1000);
  process.once("SIGTERM", () => {
    clearInterval(timer);
    process.exitCode = ${code};
    console.log("in order");
  });
  console.log("server " + process.pid + " " + process.argv.slice(2).join(" "));
`;

/** The package.json of the repository, over servers in small and a set-up that does nothing. */
async function repository(code: number): Promise<string> {
  const { path, remove } = await temporaryFolder("npm");
  onTestFinished(remove);
  await cp(join(ROOT, "package.json"), join(path, "package.json"));
  for (const folder of ["dist", "scripts"]) await mkdir(join(path, folder));
  await writeFile(join(path, "scripts/setup.mjs"), "");
  for (const name of ["main", "worker"])
    await writeFile(join(path, `dist/${name}.js`), server(code));
  return path;
}

/** npm, and what it and its programs print. */
function npm(cwd: string, words: readonly string[]) {
  const child = spawn("npm", [...words], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  return { child, ended: once(child, "close"), output: () => output };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test.each([
  ["start", []],
  ["run start:api", ["--api"]],
  ["run start:worker", []],
])("SIGTERM to `npm %s` ends the server in order, with code 0.", async (script, words) => {
  const { child, ended, output } = npm(await repository(0), script.split(" "));
  const pid = await until(
    "the server",
    () => Number(/server (\d+)/.exec(output())?.[1] ?? 0) || null,
  );
  expect(output()).toMatch(new RegExp(`server ${pid} ${words.join(" ")}\n`));
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(output()).toContain("in order");
  expect(isAlive(pid)).toBe(false);
});

test("The exit code of a server is that of npm.", async () => {
  const { child, ended, output } = npm(await repository(3), ["start"]);
  await until("the server", () => /server \d+/.test(output()));
  child.kill("SIGTERM");
  expect((await ended)[0]).toBe(3);
});

test("Words after `--` reach the server.", async () => {
  const { child, ended, output } = npm(await repository(0), ["start", "--", "--some word"]);
  await until("the server", () => /server \d+ --some word/.test(output()));
  child.kill("SIGTERM");
  await ended;
});

test("SIGTERM while packages are installed ends the install, too.", async () => {
  const root = await repository(0);
  await cp(join(ROOT, "scripts"), join(root, "scripts"), { recursive: true });
  const lock = { packages: { "node_modules/needed": { version: "1.0.0" } } };
  await writeFile(join(root, "package-lock.json"), JSON.stringify(lock));
  const slow = join(root, "npm.js");
  await writeFile(
    slow,
    'import { writeFileSync } from "node:fs"; setInterval(() => {}, 1000); ' +
      'writeFileSync("pid", String(process.pid));',
  );
  const setup = `PORT=0 npm_execpath="${slow}" exec node scripts/setup.mjs start`;
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  manifest.scripts.prestart = setup;
  await writeFile(join(root, "package.json"), JSON.stringify(manifest));
  const { child, ended } = npm(root, ["start"]);
  const pid = await until(
    "the install",
    async () => Number(await readFile(join(root, "pid"), "utf8")) || null,
  );
  child.kill("SIGTERM");
  await ended;
  await until("the install to end", () => !isAlive(pid));
});

test("Every script that serves replaces npm's shell, which would not pass a signal on.", async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  for (const [name, line] of Object.entries<string>(scripts))
    if (/dist\/|scripts\/dev/.test(line)) expect(`${name}: ${line}`).toMatch(/: exec node /);
  expect(spawnSync("npm", ["--version"], { encoding: "utf8" }).stdout).toMatch(/^(1\d|[2-9]\d)\./);
});
