/** Keys of groups: equal subscriptions have equal keys. */

import { type DocumentNode, getOperationAST } from "graphql";
import { sha256 } from "../../domain/hash.js";
import { own } from "../../domain/own.js";
import type { PreparedOperation } from "../cost/cost.js";

/** A longer key is hashed: variables may be as long as a frame. */
const MAX_KEY_CHARACTERS = 256;

/** Reading more of them would cost more than an execution. */
const MAX_VALUES = 500;
const MAX_TEXT = 4 * 1024;

/**
 * Equal for the same source, operation and variables, in any
 * order. Undeclared variables are ignored. A document that is
 * read again has the same keys.
 */
export function createAnswerKeys(): (operation: PreparedOperation) => string {
  const sources = new WeakMap<DocumentNode, string>();
  const sourceOf = (document: DocumentNode): string => {
    const known = sources.get(document) ?? sha256(document.loc?.source.body ?? "", "base64url");
    sources.set(document, known);
    return known;
  };
  return (operation) => {
    const { document, operationName } = operation;
    const values = givenOf(operation).map(([name, value]) => [name, canonical(value)]);
    const key = JSON.stringify([sourceOf(document), operationName ?? "", values]);
    return key.length > MAX_KEY_CHARACTERS ? sha256(key, "base64url") : key;
  };
}

/** Whether the variables are few and short enough for a key. */
export function hasSmallVariables(operation: PreparedOperation): boolean {
  const left = { values: MAX_VALUES, text: MAX_TEXT };
  return givenOf(operation).every(([, value]) => fits(value, left));
}

function fits(value: unknown, left: { values: number; text: number }): boolean {
  left.values -= 1;
  if (typeof value === "string") left.text -= value.length;
  if (left.values < 0 || left.text < 0) return false;
  if (Array.isArray(value)) return value.every((item) => fits(item, left));
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, member]) => {
    left.text -= name.length;
    return fits(member, left);
  });
}

/** The declared variables that are given, by name. */
function givenOf({ document, operationName, variables }: PreparedOperation) {
  const declared = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  return declared
    .map(({ variable: { name } }) => name.value)
    .filter((name) => Object.hasOwn(variables ?? {}, name))
    .sort()
    .map((name) => [name, own(variables, name)] as const);
}

/** The same value with sorted names. */
function canonical(value: unknown): unknown {
  // JSON would write null.
  if (typeof value === "number" && !Number.isFinite(value)) return { number: String(value) };
  if (Array.isArray(value)) return { list: value.map(canonical) };
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, canonical(member)]);
}
