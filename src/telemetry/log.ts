/**
 * The log: pino, JSON lines of bounded length, with everything that could be a secret struck out
 * wherever it stands.
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";
import { boundFields, boundText } from "./log-bounds.js";

const SECRETS = ["authorization", "cookie", "token", "password", "adminToken", "set-cookie"];

/** Paths that are never printed, at the top and up to two levels down. */
const REDACTED = SECRETS.flatMap((name) =>
  ["", "*.", "*.*."].map((parents) =>
    name.includes("-") ? `${parents.slice(0, -1)}["${name}"]` : `${parents}${name}`,
  ),
);

/** Makes the log of a process. Errors are printed with their stack and cause. */
export function createLogger(options: {
  readonly level: LoggerOptions["level"];
  readonly destination?: DestinationStream;
}): Logger {
  const settings: LoggerOptions = {
    level: options.level ?? "info",
    redact: { paths: REDACTED, censor: "[redacted]" },
    // Errors are serialised within the bounds of the line.
    serializers: { err: (bounded: unknown) => bounded },
    formatters: { log: (about) => boundFields(withoutReserved(about)) },
    hooks: { logMethod: boundMessage },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    base: { pid: process.pid },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

/** Keys that every line has. A line with one key twice is read differently by different readers. */
const RESERVED = ["level", "time", "pid", "msg"];

/**
 * Keeps what a line is about under a name of its own where that name is reserved: `pid` becomes
 * `itsPid`.
 */
function withoutReserved(about: Record<string, unknown>): Record<string, unknown> {
  if (!RESERVED.some((name) => Object.hasOwn(about, name))) return about;
  const renamed = (name: string): string =>
    RESERVED.includes(name) ? `its${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
  return Object.fromEntries(Object.entries(about).map(([name, value]) => [renamed(name), value]));
}

/** A message that is computed, or taken from an error, is cut like any other text. */
const boundMessage: NonNullable<NonNullable<LoggerOptions["hooks"]>["logMethod"]> = function (
  args,
  method,
) {
  const [first, message] = args as [unknown, unknown?];
  const fields = first instanceof Error ? { err: first } : first;
  const text = message ?? (first instanceof Error ? first.message : undefined);
  const bounded = [fields, text]
    .filter((part) => part !== undefined)
    .map((part) => (typeof part === "string" ? boundText(part) : part));
  method.apply(this, bounded as Parameters<typeof method>);
};
