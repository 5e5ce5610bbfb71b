/**
 * Positions in TypeScript, for stacks that are printed.
 *
 * A map is read when a stack through its file is printed.
 * Node's own flag reads all maps at load, with those of
 * packages. Without a map, a stack is
 * printed as it is.
 */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

/** The built tree; modules name themselves by URLs below it. */
const BUILT = new URL("../", import.meta.url).href;
/** No dots but that of the extension: no path leads out. */
const POSITION = /([\w/-]+\.js):(\d+):(\d+)/y;

/** Maps that were found; one per file of the built tree at most. */
const maps = new Map<string, SourceMap>();

/** An error's stack, or the text of what is no error. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? inSources(error.stack ?? error.message) : String(error);
}

/** A stack with positions in TypeScript where maps have them. */
export function inSources(stack: string): string {
  const parts = stack.split(BUILT);
  return parts.map((part, index) => (index === 0 ? part : positioned(part))).join("");
}

/** What follows the URL of the built tree in a stack. */
function positioned(text: string): string {
  POSITION.lastIndex = 0;
  const [built, file, line, column] = POSITION.exec(text) ?? [];
  const position = file && sourceOf(file, Number(line), Number(column));
  return position ? position + text.slice(built?.length) : BUILT + text;
}

/** `path:line:column` in the source; null without a map. */
function sourceOf(file: string, line: number, column: number): string | null {
  try {
    const url = new URL(`${file}.map`, BUILT);
    const map = maps.get(file) ?? new SourceMap(JSON.parse(readFileSync(url, "utf8")));
    maps.set(file, map);
    const entry = map.findEntry(line - 1, column - 1);
    if (!("originalSource" in entry)) return null;
    const path = fileURLToPath(new URL(entry.originalSource, url));
    return `${path}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  } catch {
    // A file that is missing or is no map: an error is being
    // printed, so nothing else may fail.
    return null;
  }
}
