/** Runs commands of the built tree, as `npm run` does. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ROOT } from "../support/node-process.js";

/** A script of package.json that runs a command. */
type CommandName = "seed" | "import" | "reconcile" | "outbox";

/** What a command said and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/**
 * Starts a command as its script in package.json says, with nothing of our own environment but what
 * `env` says.
 */
export function start(
  name: CommandName,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): ChildProcessWithoutNullStreams {
  const [, ...command] = scripts[name]?.replace(/^exec /, "").split(" ") ?? [];
  return spawn(process.execPath, [...command, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
  });
}

/** Runs one to its end; `input` goes to its standard input. */
export async function run(
  name: CommandName,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input = "",
): Promise<Ended> {
  const child = start(name, args, env);
  child.stdin.on("error", () => {}).end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
