/** Parts of the configuration that subjects bring. */
import type { z } from "zod";
import type { Parsed } from "./values.js";

/** Variables by their names. */
export type Variables = Readonly<Record<string, z.ZodType>>;

/** Variables of one subject, and the settings they become. */
export interface ConfigPart<Settings extends object = object> {
  readonly variables: Variables;
  /** @param env every variable, parsed */
  settings(env: Readonly<Record<string, unknown>>): Settings;
}

export function definePart<Own extends Variables, Settings extends object>(
  variables: Own,
  settings: (env: Parsed<Own>) => Settings,
): ConfigPart<Settings> {
  // The schema holds the variables of all parts. So a parsed
  // environment has those of this part.
  return { variables, settings: (env) => settings(env as Parsed<Own>) };
}
