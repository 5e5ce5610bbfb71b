/**
 * The frame of every long-running process: configuration, log,
 * orderly end. A failed start prints what the operator can do,
 * and exits with 1. Only unexpected failures show a stack. A
 * signal drains and exits with 0.
 */
import closeWithGrace, { type Options } from "close-with-grace";
import type { Logger } from "pino";
import { type Config, readConfig, variablesOf } from "../config/config.js";
import { environment, misspelledNames } from "../config/env-file.js";
import { StartupError } from "../domain/errors.js";
import { SECOND } from "../domain/time/time.js";
import { createLogger } from "../telemetry/log.js";
import { prettyLog } from "../telemetry/pretty-log.js";
import { stackOf } from "../telemetry/source-positions.js";
import { configPartsOf, SUBJECTS } from "./subjects.js";

/** A started process. */
export interface Running {
  close(): Promise<void>;
}

/**
 * Time beyond the drain window, in which databases write what
 * they hold.
 */
const CLOSING_MS = 9 * SECOND;

/** Starts; the signal is aborted as soon as the process stops. */
type Start = (config: Config, log: Logger, stopping: AbortSignal) => Promise<Running>;

/** Runs `start` and stays until a signal. */
export async function runProcess(start: Start): Promise<void> {
  try {
    const parts = configPartsOf(SUBJECTS);
    const config = readConfig(environment(), parts);
    const log = await openLog(config);
    for (const { name, meant } of misspelledNames(Object.keys(variablesOf(parts))))
      log.warn(`${name} in .env is no variable of Souk; did you mean ${meant}?`);
    const stopping = new AbortController();
    let running: Running | null = null;
    const grace: Options = {
      delay: config.http.shutdownMs + CLOSING_MS,
      logger: false,
      skip: ["SIGINT", "SIGTERM"],
    };
    const { close } = closeWithGrace(grace, async ({ err, signal }) => {
      stopping.abort();
      if (err) log.fatal({ err }, "an error that nobody handled; stopping");
      else log.info({ signal: stopSignal ?? signal }, "stopping");
      await running?.close();
    });
    let stopSignal: NodeJS.Signals | undefined;
    onStopSignals((signal) => {
      stopSignal = signal;
      close();
    });
    running = await start(config, log, stopping.signal);
    if (stopping.signal.aborted) await (running as Running).close();
  } catch (error) {
    failStart(error);
  }
}

/** On standard output. */
async function openLog({ logLevel: level, logFormat }: Config): Promise<Logger> {
  const { stdout } = process;
  const format = logFormat ?? (stdout.isTTY ? "pretty" : "json");
  if (format === "json") return createLogger({ level });
  return createLogger({ level, destination: await prettyLog(stdout) });
}

/**
 * npm passes on a signal that its whole group may have got
 * already: Ctrl-C, or the end of a service. A second one
 * within this time is the same.
 */
const ECHO_MS = SECOND;

/** Ends orderly at the first signal, at once at the next. */
function onStopSignals(stop: (signal: NodeJS.Signals) => void): void {
  let firstMs: number | null = null;
  const take = (signal: NodeJS.Signals): void => {
    if (firstMs === null) stop(signal);
    else if (performance.now() - firstMs > ECHO_MS) process.exit(1);
    firstMs ??= performance.now();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, take);
}

/**
 * Prints why a start failed and exits with 1. Only unexpected
 * failures show a stack.
 */
export function failStart(error: unknown): never {
  const text = error instanceof StartupError ? error.message : stackOf(error);
  process.stderr.write(`\n${text}\n\n`);
  process.exit(1);
}
