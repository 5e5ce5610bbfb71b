/**
 * The log: pino, JSON lines of bounded length, with secrets
 * redacted.
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";
import { boundFields, boundText } from "./log-bounds.js";

const SECRETS = ["authorization", "cookie", "token", "password", "adminToken", "set-cookie"];

/** Redacted paths, at the top and up to two levels down. */
const REDACTED = SECRETS.flatMap((name) =>
  ["", "*.", "*.*."].map((parents) =>
    name.includes("-") ? `${parents.slice(0, -1)}["${name}"]` : `${parents}${name}`,
  ),
);

/**
 * Makes the log of a process. Errors are printed with their
 * stack and cause.
 */
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

/**
 * Keys of every line. Readers disagree about a line that has a
 * key twice.
 */
const RESERVED = ["level", "time", "pid", "msg"];

/** Renames fields with a reserved name: `pid` becomes `itsPid`. */
function withoutReserved(about: Record<string, unknown>): Record<string, unknown> {
  if (!RESERVED.some((name) => Object.hasOwn(about, name))) return about;
  const renamed = (name: string): string =>
    RESERVED.includes(name) ? `its${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
  return Object.fromEntries(Object.entries(about).map(([name, value]) => [renamed(name), value]));
}

/**
 * Computed messages, and those of errors, are cut like other
 * texts.
 */
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
