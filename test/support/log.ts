/** Loggers of tests. */
import { type Logger, pino } from "pino";

/** A logger that says nothing, or with TEST_LOG_LEVEL set, everything from that level on. */
export function testLog(): Logger {
  return pino({ level: process.env.TEST_LOG_LEVEL ?? "silent" });
}

/** A logger that keeps what it is told, for tests about messages. */
export function rememberingLog(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    log: pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }),
  };
}
