/**
 * The Lua scripts, beside the structure they belong to.
 *
 * `<structure>.<action>-<number of keys>.lua` becomes the
 * command `structureAction` on every connection; with `n`,
 * callers pass the number first. ioredis sends EVALSHA, and
 * EVAL where the server lacks the script. What several
 * scripts share is a part, `<structure>.<part>.lua`: it
 * replaces the line `-- include: <structure>.<part>`. A part
 * of another folder: `-- include: client/memory-fence`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";

/** One script: the command it becomes and what it is made of. */
export interface Script {
  readonly command: string;
  /** Undefined where each call says it. */
  readonly numberOfKeys: number | undefined;
  readonly lua: string;
}

const ROOM = fileURLToPath(new URL("..", import.meta.url));

/**
 * Reads every script of this room: each stands in the folder
 * of its structure.
 */
export function loadScripts(): Script[] {
  return readdirSync(ROOM, { recursive: true, encoding: "utf8" }).flatMap((path) => {
    const parts = /^([a-z-]+)\.([a-z-]+)-(\d+|n)\.lua$/.exec(basename(path));
    return parts ? [toScript(parts, withParts(readScript(path), dirname(path)))] : [];
  });
}

/**
 * Makes every script a command of this connection. The typed
 * signatures stand in the structure's file.
 */
export function registerScripts(connection: Pick<Redis, "defineCommand">): void {
  for (const { command, numberOfKeys, lua } of loadScripts())
    connection.defineCommand(command, {
      ...(numberOfKeys === undefined ? {} : { numberOfKeys }),
      lua,
    });
}

const readScript = (path: string): string => readFileSync(join(ROOM, path), "utf8");

/**
 * Parts may include parts. The replacement is a function,
 * because `$` of Lua would mean something in a text.
 */
const withParts = (lua: string, folder: string): string =>
  lua.replace(/^-- include: (\S+)$/gm, (_, part: string) => {
    const path = part.includes("/") ? `${part}.lua` : join(folder, `${part}.lua`);
    return withParts(readScript(path), dirname(path)).trimEnd();
  });

function toScript([, structure = "", action = "", keys]: RegExpExecArray, lua: string): Script {
  const command = `${structure}-${action}`.replace(/-([a-z])/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
  return { command, numberOfKeys: keys === "n" ? undefined : Number(keys), lua };
}
