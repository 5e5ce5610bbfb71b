/** What tells two subscriptions apart: the key of the group that shares their messages. */

import { createHash } from "node:crypto";
import { type DocumentNode, getOperationAST } from "graphql";
import { own } from "../../domain/own.js";
import type { PreparedOperation } from "../operation/cost.js";

/** A key longer than this is kept as its hash: variables may be as long as a frame. */
const MAX_KEY_CHARACTERS = 256;

/**
 * Makes keys: equal for the same document, operation and variables, whatever their order and
 * whatever the document does not declare.
 */
export function createKeyMaker(): (operation: PreparedOperation) => string {
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
    return key.length > MAX_KEY_CHARACTERS
      ? createHash("sha256").update(key).digest("base64url")
      : key;
  };
}

/** The same value, objects as lists of their members by name. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return { list: value.map(canonical) };
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, canonical(member)]);
}
