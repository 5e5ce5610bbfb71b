/**
 * Splits a query into its public root fields and the rest.
 * Each public field becomes a document of its own. So its
 * answer is stored like any other. Documents that write a field
 * alike share it. Only plain root fields are split off, after
 * some uses.
 *
 * The new documents share the nodes of the old one. So they
 * take little memory, and their errors name its places.
 */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  Location,
  type OperationDefinitionNode,
  Source,
  visit,
} from "graphql";
import { sha256 } from "../../domain/hash.js";
import { own } from "../../domain/own.js";
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

/** Not worth it for a document that is asked once. */
const USES_BEFORE_SPLITTING = 3;
const MAX_PARTS = 4;
/** Root fields that are looked at: each visits the fragments that it uses. */
const MAX_TRIED_FIELDS = 8;
const MAX_SPLIT_CHARACTERS = 16 * 1024;

export function createQuerySplitter(schema: GraphQLSchema, plan: PlanAnswer): SplitQuery {
  const isDeclared = ({ name: { value: name } }: FieldNode): boolean => {
    const { scope, cached } = own(schema.getQueryType()?.getFields(), name)?.extensions ?? {};
    return scope === "PUBLIC" && cached === true;
  };
  // By operation: stores keep one document per source. What is
  // known of a document goes with it.
  const uses = new WeakMap<OperationDefinitionNode, number>();
  const known = new WeakMap<OperationDefinitionNode, { readonly split: AnswerParts | null }>();
  return ({ document, operationName }) => {
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== "query") return null;
    const found = known.get(operation);
    if (found) return found.split;
    const count = (uses.get(operation) ?? 0) + 1;
    uses.set(operation, count);
    if (count < USES_BEFORE_SPLITTING) return null;
    const split = splitQuery({ plan, isDeclared }, document, operation);
    known.set(operation, { split });
    return split;
  };
}

interface SplitRules {
  readonly plan: PlanAnswer;
  /** Whether a root field declares that its answer may be stored. */
  isDeclared(field: FieldNode): boolean;
}

function splitQuery(
  { plan, isDeclared }: SplitRules,
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
  const writer = new PartWriter(document, operation);
  const parts: AnswerPart[] = [];
  const tried = fields.filter((field) => isUnconditional(field) && isDeclared(field));
  for (const field of tried.slice(0, MAX_TRIED_FIELDS)) {
    if (parts.length === MAX_PARTS) break;
    const part = writer.part(field);
    if (isStored(part, null))
      parts.push({ key: responseKey(field), document: writer.withSource(part) });
  }
  if (parts.length === 0) return null;
  const keys = new Set(parts.map(({ key }) => key));
  // Not empty: a query whose fields are all public is not split.
  const left = fields.filter((field) => !keys.has(responseKey(field)));
  return { keys: fields.map(responseKey), parts, rest: writer.rest(left) };
}

/** Null for an operation with anything but fields of different names. */
function rootFields({
  selectionSet: { selections },
  directives = [],
}: OperationDefinitionNode): FieldNode[] | null {
  const fields = selections.filter((selection) => selection.kind === Kind.FIELD);
  const keys = new Set(fields.map(responseKey));
  const areAll = fields.length === selections.length && keys.size === fields.length;
  return areAll && directives.length === 0 ? fields : null;
}

const isUnconditional = ({ directives = [] }: FieldNode): boolean => directives.length === 0;

const responseKey = ({ alias, name }: FieldNode): string => (alias ?? name).value;

/** Makes documents of some root fields, with the fragments and variables that they use. */
class PartWriter {
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;

  constructor(
    private readonly document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
  ) {
    const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
    this.fragments = new Map(
      (fragments as FragmentDefinitionNode[]).map((fragment) => [fragment.name.value, fragment]),
    );
  }

  /** A document of one field, without a name. */
  part(field: FieldNode): DocumentNode {
    const { name: _, ...unnamed } = this.operation;
    return this.write(unnamed, [field]);
  }

  rest(fields: readonly FieldNode[]): DocumentNode {
    return this.write(this.operation, fields);
  }

  private write(
    operation: OperationDefinitionNode,
    selections: readonly FieldNode[],
  ): DocumentNode {
    const { fragments, variables } = this.usedBy(selections);
    const variableDefinitions = operation.variableDefinitions?.filter(({ variable }) =>
      variables.has(variable.name.value),
    );
    const selectionSet = { ...operation.selectionSet, selections };
    const definition = {
      ...operation,
      variableDefinitions: variableDefinitions ?? [],
      selectionSet,
    };
    return { kind: Kind.DOCUMENT, definitions: [definition, ...fragments] };
  }

  /** With a source, from which its answers have their key. */
  withSource(part: DocumentNode): DocumentNode {
    const texts = part.definitions.flatMap((definition): readonly Located[] =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? [...(definition.variableDefinitions ?? []), ...definition.selectionSet.selections]
        : [definition],
    );
    const { loc } = this.document;
    return loc ? { ...part, loc: named(loc, texts.map(textOf)) } : part;
  }

  private usedBy(fields: readonly FieldNode[]) {
    const variables = new Set<string>();
    const fragments = new Set<FragmentDefinitionNode>();
    const read = (node: FieldNode | FragmentDefinitionNode): void =>
      void visit(node, {
        Variable: ({ name }) => void variables.add(name.value),
        FragmentSpread: ({ name }) => {
          const fragment = this.fragments.get(name.value);
          if (fragment) fragments.add(fragment);
        },
      });
    for (const field of fields) read(field);
    // A set is walked with what is added to it meanwhile.
    for (const fragment of fragments) read(fragment);
    return { variables, fragments: [...fragments] };
  }
}

interface Located {
  readonly loc?: Location | undefined;
}

/** As the client wrote it. */
const textOf = ({ loc }: Located): string => loc?.source.body.slice(loc.start, loc.end) ?? "";

/** A source for keys of answers: no client can write it. */
const named = ({ startToken, endToken }: Location, texts: readonly string[]): Location =>
  new Location(startToken, endToken, new Source(`part ${sha256(texts.join("\n"), "base64url")}`));
