/**
 * Queries compiled to JavaScript by graphql-jit: some 40 % less
 * CPU for repeated reads.
 *
 * The compiler pastes text of the document into code. String
 * literals let a client run code (`"__MAGIC_DATE__…"`). An alias
 * `__proto__` replaces a prototype. Conditions in repeated
 * fragments are mixed up. So only documents of names, numbers and
 * variables are compiled: one query, no string literal, no
 * directive. Of names beginning with `__`, only `__typename` is
 * allowed. No variable may be named like a member of
 * `Object.prototype`.
 *
 * graphql-js executes all others, and repeats queries whose
 * answer has an error. That is safe: a query changes nothing, and
 * loaders remember its reads.
 */
import {
  BREAK,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  Kind,
  type NameNode,
  type VariableNode,
  visit,
} from "graphql";
import { type CompiledQuery, compileQuery, isCompiledQuery } from "graphql-jit";
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import { type CompiledQueries, type Execution, interpret } from "./executor.js";

/** Compilation takes milliseconds: worth it after so many uses. */
const USES_BEFORE_COMPILING = 5;
/** Code of a large document takes some 100 KB. */
const MAX_COMPILED = 200;
/** Fragments are inlined, so their expansion is bounded. */
const MAX_EXPANDED_FIELDS = 1_000;

export function createCompiledQueries(schema: GraphQLSchema): CompiledQueries {
  // By document: stores keep one object per source, and a
  // compiled document has one operation.
  const compiled = new LRUCache<DocumentNode, CompiledQuery | "unfit">(entriesUpTo(MAX_COMPILED));
  // Counts keep no document alive.
  const uses = new WeakMap<DocumentNode, number>();

  function lookUp(document: DocumentNode): CompiledQuery | null {
    const known = compiled.get(document);
    if (known) return known === "unfit" ? null : known;
    const count = (uses.get(document) ?? 0) + 1;
    uses.set(document, count);
    if (count < USES_BEFORE_COMPILING) return null;
    uses.delete(document);
    const query = isFitToCompile(document) ? compileQuery(schema, document) : null;
    const usable = query && isCompiledQuery(query) ? query : null;
    compiled.set(document, usable ?? "unfit");
    return usable;
  }

  return {
    run(execution) {
      const query = lookUp(execution.document);
      return query && namesItsOperation(execution) ? runCompiled(schema, query, execution) : null;
    },
  };
}

async function runCompiled(
  schema: GraphQLSchema,
  compiled: CompiledQuery,
  execution: Execution,
): Promise<ExecutionResult> {
  const result = (await compiled.query(
    execution.rootValue,
    execution.context,
    execution.variables,
  )) as ExecutionResult;
  return result.errors || !result.data ? interpret(schema, execution) : result;
}

/** graphql-js rejects a wrong operation name. */
function namesItsOperation({ document, operationName }: Execution): boolean {
  if (operationName === null || operationName === undefined) return true;
  return document.definitions.some(
    (definition) =>
      definition.kind === Kind.OPERATION_DEFINITION && definition.name?.value === operationName,
  );
}

/** Whether a document is safe to compile, as above. */
export function isFitToCompile(document: DocumentNode): boolean {
  const operations = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  if (operations.length !== 1 || operations[0]?.operation !== "query") return false;
  return holdsOnlySafeNodes(document) && expandedFields(document) <= MAX_EXPANDED_FIELDS;
}

function holdsOnlySafeNodes(document: DocumentNode): boolean {
  let safe = true;
  const refuse = () => {
    safe = false;
    return BREAK;
  };
  visit(document, {
    StringValue: refuse,
    Directive: refuse,
    Name: ({ value }: NameNode) =>
      value.startsWith("__") && value !== "__typename" ? refuse() : undefined,
    // Compiled code reads variables from a plain object.
    Variable: ({ name }: VariableNode) =>
      Object.hasOwn(Object.prototype, name.value) ? refuse() : undefined,
  });
  return safe;
}

/**
 * Fields of a valid document with all fragments inlined. Counts
 * each fragment once.
 */
function expandedFields({ definitions }: DocumentNode): number {
  const fragments = new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION
        ? [[definition.name.value, definition.selectionSet]]
        : [],
    ),
  );
  const known = new Map<string, number>();
  type Selections = (typeof definitions)[number] & { kind: Kind.OPERATION_DEFINITION };
  const count = ({ selections }: Selections["selectionSet"]): number =>
    selections.reduce((total, selection) => total + countOne(selection), 0);
  const countOne = (selection: Selections["selectionSet"]["selections"][number]): number => {
    if (selection.kind !== Kind.FRAGMENT_SPREAD)
      return (
        (selection.kind === Kind.FIELD ? 1 : 0) +
        (selection.selectionSet ? count(selection.selectionSet) : 0)
      );
    const name = selection.name.value;
    const body = fragments.get(name);
    if (!known.has(name)) known.set(name, body ? count(body) : 0);
    return known.get(name) ?? 0;
  };
  return definitions.reduce(
    (total, definition) =>
      total + (definition.kind === Kind.OPERATION_DEFINITION ? count(definition.selectionSet) : 0),
    0,
  );
}
