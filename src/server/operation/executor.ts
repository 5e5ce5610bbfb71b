/**
 * Executes an operation within its deadline, for HTTP and
 * WebSocket.
 *
 * Frequent queries run as compiled code (compiled-queries.ts)
 * where that is safe. graphql-js executes the rest, and
 * everything that fails. Too large answers are replaced.
 */
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
} from "graphql";
import { DeadlineExceeded } from "../../domain/errors.js";
import { withDeadline } from "../../domain/time/deadline.js";
import { type AnswerLimits, boundAnswer, boundErrorMessage } from "./answer-size.js";

export type OperationKind = "query" | "mutation" | "subscription";

/** One operation of a valid document. */
export interface Execution {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  /** Null without such an operation, which execution rejects. */
  readonly kind: OperationKind | null;
  /** For resolvers. */
  readonly context: object;
  /** The event of a subscription. */
  readonly rootValue?: unknown;
  /** Arrival on the monotonic clock, in ms. */
  readonly startedAtMs: number;
}

export interface CompiledQueries {
  /** Null when graphql-js must execute it, now or ever. */
  run(execution: Execution): Promise<ExecutionResult> | null;
}

/**
 * Replaces a late or too large answer by an error. Rejects with
 * AnswerTooLarge for an event of a subscription.
 */
export type OperationExecutor = (execution: Execution) => Promise<ExecutionResult>;

export interface ExecutorOptions {
  readonly schema: GraphQLSchema;
  readonly deadlineMs: number;
  readonly limits: AnswerLimits;
  /** Absent: graphql-js executes everything. */
  readonly compiled?: CompiledQueries;
}

export function createExecutor({
  schema,
  deadlineMs,
  limits,
  compiled,
}: ExecutorOptions): OperationExecutor {
  return async (execution) => {
    const leftMs = deadlineMs - (performance.now() - execution.startedAtMs);
    // Its client has given up, and running it would delay others.
    if (leftMs <= 0) return deadlineExceeded();
    const result = await withDeadline(
      compiled?.run(execution) ?? interpret(schema, execution),
      leftMs,
      deadlineExceeded,
    );
    return execution.kind === "subscription"
      ? boundErrorMessage(result, limits.messageBytes)
      : boundAnswer(result, limits.answerBytes, execution.kind ?? "query");
  };
}

export function interpret(
  schema: GraphQLSchema,
  { document, operationName, variables, context, rootValue }: Execution,
): Promise<ExecutionResult> | ExecutionResult {
  return execute({
    schema,
    document,
    operationName,
    variableValues: variables,
    contextValue: context,
    rootValue,
  });
}

/** Without data: nothing of it is known. */
function deadlineExceeded(): ExecutionResult {
  const originalError = new DeadlineExceeded("The operation took longer than it may.");
  return {
    errors: [
      new GraphQLError(originalError.message, {
        originalError,
        extensions: { http: { status: 504 } },
      }),
    ],
  };
}
