/** Keys of groups: equal subscriptions have equal keys. */

import { type DocumentNode, getOperationAST } from "graphql";
import { sha256 } from "../../domain/hash.js";
import { own } from "../../domain/own.js";
import type { PreparedOperation } from "../cost/cost.js";

/** A longer key is hashed: variables may be as long as a frame. */
const MAX_KEY_CHARACTERS = 256;

/**
 * Equal for the same document, operation and variables, in any
 * order. Undeclared variables are ignored.
 */
export function createAnswerKeys(): (operation: PreparedOperation) => string {
  const numbers = new WeakMap<DocumentNode, number>();
  let documents = 0;
  return ({ document, operationName, variables }) => {
    const number = numbers.get(document) ?? ++documents;
    numbers.set(document, number);
    const declared = getOperationAST(document, operationName)?.variableDefinitions ?? [];
    const given = declared
      .map(({ variable: { name } }) => name.value)
      .filter((name) => Object.hasOwn(variables ?? {}, name));
    const values = given.sort().map((name) => [name, canonical(own(variables, name))]);
    const key = JSON.stringify([number, operationName ?? "", values]);
    return key.length > MAX_KEY_CHARACTERS ? sha256(key, "base64url") : key;
  };
}

/** The same value with sorted names. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return { list: value.map(canonical) };
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, canonical(member)]);
}
