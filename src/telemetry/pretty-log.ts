/**
 * The log for people at a terminal. Texts of clients cannot
 * steer the terminal: control characters are shown, not sent.
 */
import type { DestinationStream } from "pino";

/** Where lines go; a terminal writes them at once. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Loads the library: JSON logs need none of it. */
export async function prettyLog(output: TextOutput): Promise<DestinationStream> {
  const { prettyFactory, isColorSupported } = await import("pino-pretty");
  const format = prettyFactory({
    colorize: isColorSupported && output.isTTY === true,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid",
    singleLine: true,
    // A line that a text begins would look like one of ours.
    messageFormat: ({ msg }) => String(msg ?? "").replaceAll("\n", "\\n"),
  });
  return { write: (line) => void output.write(format(harmless(line))) };
}

/** What JSON writes as an escape; a pair of backslashes is one. */
const ESCAPE = /\\(?:u00[01][\da-f]|.)/gi;
/** DEL, C1 and what turns the direction of writing: JSON writes them as they are. */
const RAW_CONTROL = /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Other than lines and tabs, which a stack has. */
const isControl = (found: string): boolean => found.length > 2 || /[bfr]$/.test(found);

/** A line of JSON whose control characters became visible. */
function harmless(line: string): string {
  const visible = line.replace(ESCAPE, (found) => (isControl(found) ? `\\${found}` : found));
  return visible.replace(
    RAW_CONTROL,
    (found) => `\\\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
