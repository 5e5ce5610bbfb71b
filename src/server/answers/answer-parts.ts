/**
 * Splits a query into its public root fields and the rest.
 * Each public field becomes a document of its own. So its
 * answer is stored like any other. All documents that ask the
 * same share it. Only plain root fields are split off, after
 * some uses.
 */
import {
  type DocumentNode,
  type FieldNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  separateOperations,
  visit,
} from "graphql";
import { LRUCache } from "lru-cache";
import type { PreparedOperation } from "../cost/cost.js";
import type { PlanAnswer } from "../operation/answer-plan.js";

/** A public root field. */
export interface AnswerPart {
  /** Its name in the answer. */
  readonly key: string;
  readonly document: DocumentNode;
}

export interface AnswerParts {
  /** Names in the answer, in order. */
  readonly keys: readonly string[];
  readonly parts: readonly AnswerPart[];
  /** The document without the parts. */
  readonly rest: DocumentNode;
}

/** Null for a query that is executed whole. */
export type SplitQuery = (operation: PreparedOperation) => AnswerParts | null;

/** Splitting parses anew: not worth it for a document that is asked once. */
const USES_BEFORE_SPLITTING = 3;
const MAX_PARTS = 4;
/** Of one document: its parts repeat the fragments that they share. */
const MAX_SPLIT_CHARACTERS = 8 * 1024;
/** Of all parts and rests together, some 15 bytes of memory each. */
const MAX_KEPT_CHARACTERS = 512 * 1024;

export function createQuerySplitter(plan: PlanAnswer): SplitQuery {
  // By operation: stores keep one document per source.
  const uses = new WeakMap<OperationDefinitionNode, number>();
  const known = new LRUCache<OperationDefinitionNode, { readonly split: AnswerParts | null }>({
    maxSize: MAX_KEPT_CHARACTERS,
    sizeCalculation: ({ split }) => splitCharacters(split),
  });
  return ({ document, operationName }) => {
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== "query") return null;
    const found = known.get(operation);
    if (found) return found.split;
    const count = (uses.get(operation) ?? 0) + 1;
    uses.set(operation, count);
    if (count < USES_BEFORE_SPLITTING) return null;
    uses.delete(operation);
    const split = splitQuery(plan, document, operation);
    known.set(operation, { split });
    return split;
  };
}

/** What is known of a document that is not split. */
const NOT_SPLIT_CHARACTERS = 16;

function splitCharacters(split: AnswerParts | null): number {
  if (!split) return NOT_SPLIT_CHARACTERS;
  const documents = [split.rest, ...split.parts.map(({ document }) => document)];
  return documents.reduce((sum, { loc }) => sum + (loc?.end ?? 0), NOT_SPLIT_CHARACTERS);
}

function splitQuery(
  plan: PlanAnswer,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): AnswerParts | null {
  const isStored = (each: DocumentNode, name: string | null): boolean => {
    const { scope, cached } = plan(each, name);
    return scope === "PUBLIC" && cached;
  };
  const fields = rootFields(operation);
  // A public query is stored whole.
  if (!fields || isStored(document, operation.name?.value ?? null)) return null;
  if ((document.loc?.end ?? Infinity) > MAX_SPLIT_CHARACTERS) return null;
  const parts = fields
    .filter(({ directives = [] }) => directives.length === 0)
    .map((field) => ({
      key: responseKey(field),
      document: documentOf(document, operation, [field], null),
    }))
    .filter((part) => isStored(part.document, null))
    .slice(0, MAX_PARTS);
  if (parts.length === 0) return null;
  const keys = new Set(parts.map(({ key }) => key));
  // Not empty: a query whose fields are all public is not split.
  const left = fields.filter((field) => !keys.has(responseKey(field)));
  const rest = documentOf(document, operation, left, operation.name);
  return { keys: fields.map(responseKey), parts, rest };
}

/** Null for an operation with anything but fields of different names. */
function rootFields({
  selectionSet: { selections },
  directives = [],
}: OperationDefinitionNode): FieldNode[] | null {
  const fields = selections.filter((selection) => selection.kind === Kind.FIELD);
  const keys = new Set(fields.map(responseKey));
  const isPlain = fields.length === selections.length && keys.size === fields.length;
  return isPlain && directives.length === 0 ? fields : null;
}

const responseKey = ({ alias, name }: FieldNode): string => (alias ?? name).value;

/** A document of some root fields, with the fragments and variables that they use. */
function documentOf(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  fields: readonly FieldNode[],
  name: OperationDefinitionNode["name"] | null,
): DocumentNode {
  const { name: _, variableDefinitions = [], ...others } = operation;
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const bare: OperationDefinitionNode = {
    ...others,
    ...(name && { name }),
    variableDefinitions: [],
    selectionSet: { ...operation.selectionSet, selections: fields },
  };
  const all = { ...document, definitions: [bare, ...fragments] };
  const [used = all] = Object.values(separateOperations(all));
  const variables = usedVariables(used);
  const definitions = used.definitions.map((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION
      ? {
          ...definition,
          variableDefinitions: variableDefinitions.filter(({ variable }) =>
            variables.has(variable.name.value),
          ),
        }
      : definition,
  );
  // Parsed, so that it has a source, and its answers have a key.
  return parse(print({ ...used, definitions }));
}

function usedVariables(document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(document, { Variable: ({ name }) => void names.add(name.value) });
  return names;
}
