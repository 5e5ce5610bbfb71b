/**
 * Node processes of tests that must be killed: a few lines of code run against the built tree,
 * talking by lines on stdout.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Builds dist if it is older than src: a compiler copies neither .lua nor .sql, so what is shipped
 * is what must be started.
 */
export function ensureBuilt(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`);
}

/** A running script. */
export interface NodeProcess {
  readonly child: ChildProcess;
  /** The next line it prints, in order. Rejects when it ends first. */
  nextLine(): Promise<string>;
  /** Sends a signal and waits for the end; answers the exit code or the signal's name. */
  end(signal?: NodeJS.Signals): Promise<number | string | null>;
}

/** Runs an ES module given as text, in the root of the repository; killed when the test ends. */
export function runModule(code: string, env: NodeJS.ProcessEnv = {}): NodeProcess {
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    child,
    async nextLine() {
      const { value, done } = await lines.next();
      if (done) throw new Error("the process ended without another line");
      return value;
    },
    async end(signal = "SIGTERM") {
      child.kill(signal);
      const [code, by] = await exit;
      return code ?? by;
    },
  };
}
