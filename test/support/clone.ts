/**
 * A fresh clone in small, and programs of the test's making, for scripts/setup.mjs: the real scripts
 * with nothing installed and nothing on PATH but what a test puts there.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./files.js";
import { ROOT } from "./node-process.js";

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** A folder that goes with the test. */
export async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder("setup");
  onTestFinished(remove);
  return path;
}

/** Starts setup in a clone, with these variables and no others. No port is asked for. */
export function startSetup(root: string, purpose: string, env: Record<string, string>) {
  const args = [join(root, "scripts/setup.mjs"), purpose];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  const outcome = async (): Promise<Outcome> => {
    const [code] = await once(child, "close");
    return { code, output: output.trim() };
  };
  return { outcome: outcome(), output: () => output };
}

/** Runs setup to its end: see {@link startSetup}. */
export const setup = (
  root: string,
  purpose: string,
  env: Record<string, string>,
): Promise<Outcome> => startSetup(root, purpose, env).outcome;

/** The lines of an outcome, without the times. */
export const linesOf = ({ output }: Outcome): string[] =>
  output.split("\n").map((line) => line.replace(/ \(\d+\.\d s\)$/, ""));

/**
 * A folder of programs: each a shell script that appends its command line to `calls` and then does
 * as told.
 */
export async function programs(
  scripts: Record<string, string>,
): Promise<{ path: string; calls(): Promise<string[]> }> {
  const path = await folder();
  const log = join(path, "calls");
  for (const [name, script] of Object.entries(scripts)) await program(path, name, script, log);
  return {
    path,
    calls: async () => (await readFile(log, "utf8").catch(() => "")).split("\n").filter(Boolean),
  };
}

/** One such program; it finds the system's own commands, which a PATH of a test lacks. */
async function program(path: string, name: string, script: string, log: string): Promise<void> {
  const text = `#!/bin/sh\necho "${name} $*" >>"${log}"\nPATH=$PATH:/usr/bin:/bin\n${script}\n`;
  await writeFile(join(path, name), text, { mode: 0o755 });
}

/**
 * What a clone holds before anything was installed: the scripts, and a lockfile of a package that a
 * start needs and one of development. Its build does nothing.
 */
export async function freshClone(): Promise<string> {
  const root = await folder();
  await cp(join(ROOT, "scripts"), join(root, "scripts"), { recursive: true });
  await writeFile(join(root, "scripts/build.mjs"), "");
  await writeFile(join(root, "package.json"), '{ "name": "clone" }');
  await writeFile(join(root, "package-lock.json"), lockfile("1.0.0"));
  return root;
}

const lockfile = (version: string): string =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": { name: "clone" },
      "node_modules/needed": { version },
      "node_modules/for-macs": { version, optional: true },
      "node_modules/tool": { version, dev: true },
    },
  });

/** What npm leaves behind; `tool` is the version of the development package. */
export async function installed(
  root: string,
  { needed, tool }: { needed: string; tool?: string },
): Promise<void> {
  const file = join(root, "node_modules/.package-lock.json");
  await mkdir(dirname(file), { recursive: true });
  const packages = {
    "node_modules/needed": { version: needed },
    ...(tool ? { "node_modules/tool": { version: tool, dev: true } } : {}),
  };
  await writeFile(file, JSON.stringify({ packages }));
}

/** A clone with all of its packages. */
export async function clone(): Promise<string> {
  const root = await freshClone();
  await installed(root, { needed: "1.0.0", tool: "1.0.0" });
  return root;
}
