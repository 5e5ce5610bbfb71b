/**
 * Validation rules for documents, shared by HTTP and WebSocket.
 * They run after those of the specification. The parser's token
 * limit bounds their time.
 *
 * graphql-armor counts depth, aliases and directives per
 * operation, with fragments resolved once. Its rules throw by
 * default, which Apollo answers with 500; here they report. Root
 * fields and NUL characters have no library rule.
 */
import { maxAliasesRule } from "@escape.tech/graphql-armor-max-aliases";
import { maxDepthRule } from "@escape.tech/graphql-armor-max-depth";
import { maxDirectivesRule } from "@escape.tech/graphql-armor-max-directives";
import {
  type ASTVisitor,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type StringValueNode,
  type ValidationContext,
  type ValidationRule,
} from "graphql";
import { isIllFormed } from "./text-input.js";

/** Per document. */
export interface OperationLimits {
  readonly depth: number;
  readonly aliases: number;
  readonly rootFields: number;
  readonly directives: number;
}

/** Introspection is for servers with an explorer. */
export function operationRules(limits: OperationLimits, introspection: boolean): ValidationRule[] {
  return [
    maxDepthRule({
      ...reporting(`The operation is nested deeper than ${limits.depth} levels.`),
      n: limits.depth,
      flattenFragments: true,
    }),
    maxAliasesRule({
      ...reporting(`The operation uses more than ${limits.aliases} aliases.`),
      n: limits.aliases,
      allowList: [],
    }),
    maxDirectivesRule({
      ...reporting(`The operation uses more than ${limits.directives} directives.`),
      n: limits.directives,
    }),
    maxRootFieldsRule(limits.rootFields),
    wellFormedTextRule,
    ...(introspection ? [] : [NoSchemaIntrospectionCustomRule]),
  ];
}

/** Reports our message in place of a thrown "Syntax Error: …". */
const reporting = (message: string) => ({
  propagateOnRejection: false,
  onReject: [
    (context: ValidationContext | null) => context?.reportError(new GraphQLError(message)),
  ],
});

/** Counts root fields through fragments, repetitions included. */
function maxRootFieldsRule(limit: number): ValidationRule {
  return (context): ASTVisitor => ({
    OperationDefinition(operation: OperationDefinitionNode) {
      if (countFields(context, operation.selectionSet, new Map()) > limit) {
        context.reportError(
          new GraphQLError(`The operation has more than ${limit} root fields.`, {
            nodes: operation,
          }),
        );
      }
    },
  });
}

/**
 * Fields of one level. Counts each fragment once; a recursive one
 * as none.
 */
function countFields(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  known: Map<string, number>,
): number {
  let total = 0;
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) total++;
    else if (selection.kind === Kind.INLINE_FRAGMENT)
      total += countFields(context, selection.selectionSet, known);
    else total += countFragment(context, selection.name.value, known);
  }
  return total;
}

function countFragment(
  context: ValidationContext,
  name: string,
  known: Map<string, number>,
): number {
  const counted = known.get(name);
  if (counted !== undefined) return counted;
  known.set(name, 0);
  const fragment = context.getFragment(name);
  const total = fragment ? countFields(context, fragment.selectionSet, known) : 0;
  known.set(name, total);
  return total;
}

/**
 * A GraphQL string has its own escape for NUL, which the JSON
 * check misses.
 */
function wellFormedTextRule(context: ValidationContext): ASTVisitor {
  return {
    StringValue(node: StringValueNode) {
      if (!isIllFormed(node.value)) return;
      const extensions = { code: "BAD_USER_INPUT" };
      context.reportError(
        new GraphQLError("Text must hold neither NUL characters nor lone surrogates.", {
          nodes: node,
          extensions,
        }),
      );
    },
  };
}
