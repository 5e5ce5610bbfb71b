/**
 * Runs programs for the scripts. A signal that ends us ends the program first, so that no install
 * goes on behind the next one.
 */
import { spawn } from "node:child_process";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
/** More output of a program does not help. */
const OUTPUT_CHARS = 65_536;
const NO_SUCH_COMMAND = 127;

/**
 * @param options those of `spawn`; `shown`: on our terminal; `timeoutMs`: killed after that
 * @returns {Promise<{code: number, output: string}>} how it ended, and the end of its output
 */
export async function run(command, args, { shown = false, timeoutMs, ...options } = {}) {
  const child = spawn(command, args, {
    stdio: shown ? "inherit" : ["ignore", "pipe", "pipe"],
    ...(timeoutMs ? { timeout: timeoutMs, killSignal: "SIGKILL" } : {}),
    ...options,
  });
  const passOn = (signal) => {
    child.once("close", () => {
      process.off(signal, passOn);
      process.kill(process.pid, signal);
    });
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, passOn);
  try {
    return await endOf(child);
  } finally {
    for (const signal of SIGNALS) process.off(signal, passOn);
  }
}

function endOf(child) {
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      output = (output + chunk).slice(-OUTPUT_CHARS);
    });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: NO_SUCH_COMMAND, output: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** npm as the one that runs us; else the one on PATH. */
export function runNpm(args, options) {
  const npm = process.env.npm_execpath;
  const [command, before] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  return run(command, [...before, ...args, "--no-audit", "--no-fund"], options);
}
