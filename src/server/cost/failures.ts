/** Errors of an answer as a tree of its keys and indexes. */
import type { GraphQLError } from "graphql";

/**
 * The errors at or below a place, by the next step of their
 * paths.
 */
export interface Failures {
  get(step: string | number): Failures | undefined;
}

/** Undefined without errors; "everywhere" when one has no path. */
export function failureTree(errors: readonly GraphQLError[]): Failures | "everywhere" | undefined {
  if (errors.length === 0) return undefined;
  const root: Tree = new Map();
  for (const { path } of errors) {
    if (!path) return "everywhere";
    let tree = root;
    for (const step of path) {
      const next = tree.get(step) ?? new Map();
      tree.set(step, next);
      tree = next;
    }
  }
  return root;
}

type Tree = Map<string | number, Tree>;
