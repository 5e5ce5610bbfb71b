/** The log: pino, JSON lines, with everything that could be a secret struck out wherever it stands. */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";

const SECRETS = ["authorization", "cookie", "token", "password", "adminToken", "set-cookie"];

/** Paths that are never printed, at the top and up to two levels down. */
const REDACTED = SECRETS.flatMap((name) =>
  ["", "*.", "*.*."].map((parents) => (name.includes("-") ? `${parents.slice(0, -1)}["${name}"]` : `${parents}${name}`)),
);

/** Makes the log of a process. Errors are printed with their stack and cause. */
export function createLogger(options: { readonly level: LoggerOptions["level"]; readonly destination?: DestinationStream }): Logger {
  const settings: LoggerOptions = {
    level: options.level ?? "info",
    redact: { paths: REDACTED, censor: "[redacted]" },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    base: { pid: process.pid },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}
