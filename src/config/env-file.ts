/**
 * The environment of a process: the only reader of `process.env`.
 * A `.env` file in the working directory adds to it.
 */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { StartupError } from "../domain/errors.js";

const FILE = ".env";

/**
 * The environment, with that of the file. Variables that are set
 * win over the file.
 * @throws StartupError
 */
export function environment(): Readonly<Record<string, string | undefined>> {
  try {
    if (existsSync(FILE)) process.loadEnvFile(FILE);
  } catch (cause) {
    throw new StartupError(
      `The file ${resolve(FILE)} cannot be read: ${(cause as Error).message} Mend or remove it.`,
      { cause },
    );
  }
  return process.env;
}

export interface MisspelledName {
  readonly name: string;
  /** The variable that was probably meant. */
  readonly meant: string;
}

/**
 * Unknown names of the file that are near a variable. The file may
 * hold other programs' variables, so distant names are not judged.
 * @param known every variable of Souk
 */
export function misspelledNames(known: readonly string[]): readonly MisspelledName[] {
  if (!existsSync(FILE)) return [];
  return nearMisses(Object.keys(parseEnv(readFileSync(FILE, "utf8"))), known);
}

/** Names that are judged: a file may hold anything. */
const MAX_VARIABLE_CHARACTERS = 64;
const MAX_JUDGED = 1_000;
/** As many as an operator mends at once. */
const MAX_MISSPELLED = 10;

/** Each name with the variable it is nearest to, where it is near. */
export function nearMisses(
  names: readonly string[],
  known: readonly string[],
): readonly MisspelledName[] {
  const unknown = names.filter(
    (name) => name.length <= MAX_VARIABLE_CHARACTERS && !known.includes(name),
  );
  return unknown
    .slice(0, MAX_JUDGED)
    .flatMap((name) => {
      const [nearest] = known
        .filter(({ length }) => Math.abs(length - name.length) <= mostEdits(name))
        .map((meant) => ({ name, meant, edits: editsBetween(name.toUpperCase(), meant) }))
        .sort((one, other) => one.edits - other.edits);
      return nearest && nearest.edits <= mostEdits(name) ? [nearest] : [];
    })
    .slice(0, MAX_MISSPELLED)
    .map(({ name, meant }) => ({ name, meant }));
}

/** In a short name two edits make another word. */
const mostEdits = (name: string): number => (name.length < 6 ? 1 : 2);

/** The edit distance of two texts (Levenshtein, 1965), by rows. */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 0; at < one.length; at += 1) {
    let edits = at + 1;
    const next = [edits];
    for (let to = 0; to < other.length; to += 1) {
      const replaced = (row[to] ?? 0) + (one[at] === other[to] ? 0 : 1);
      edits = Math.min(replaced, edits + 1, (row[to + 1] ?? 0) + 1);
      next.push(edits);
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
