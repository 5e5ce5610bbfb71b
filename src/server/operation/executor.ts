/**
 * Executes one operation within its deadline: the one executor of HTTP and WebSocket.
 *
 * Queries that are asked often are executed by compiled code (compiled-queries.ts) where that is
 * safe; everything else, and every answer that is not plain success, comes from graphql-js. No
 * answer leaves that is too large.
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
import { type AnswerLimits, boundAnswer, boundMessage } from "./answer-size.js";
import type { OperationKind } from "./context.js";

/** One operation of a validated document. */
export interface Execution {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  /** Null for a document without such an operation, which execution refuses. */
  readonly kind: OperationKind | null;
  /** What resolvers get as context. */
  readonly context: object;
  /** The event of a subscription. */
  readonly rootValue?: unknown;
  /** When it arrived, on the monotonic clock of this process, in ms. */
  readonly startedAtMs: number;
}

/** Runs what is worth compiling. */
export interface CompiledQueries {
  /** The result of an execution, or null when it is not one for compiled code (now, or ever). */
  run(execution: Execution): Promise<ExecutionResult> | null;
}

/**
 * Runs an operation to its result. An answer that takes too long or is too large is replaced by one
 * that says so. Rejects with AnswerTooLarge for an event of a subscription.
 */
export type Executor = (execution: Execution) => Promise<ExecutionResult>;

/** What an executor is made of. */
export interface ExecutorOptions {
  readonly schema: GraphQLSchema;
  readonly deadlineMs: number;
  readonly limits: AnswerLimits;
  /** Absent: graphql-js executes everything. */
  readonly compiled?: CompiledQueries;
}

/** Makes the executor of one schema. */
export function createExecutor({
  schema,
  deadlineMs,
  limits,
  compiled,
}: ExecutorOptions): Executor {
  return async (execution) => {
    const leftMs = deadlineMs - (performance.now() - execution.startedAtMs);
    // What has waited that long is not wanted any more, and running it would delay the others.
    if (leftMs <= 0) return deadlineExceeded();
    const result = await withDeadline(
      compiled?.run(execution) ?? interpret(schema, execution),
      leftMs,
      deadlineExceeded,
    );
    return execution.kind === "subscription"
      ? boundMessage(result, limits.messageBytes)
      : boundAnswer(result, limits.answerBytes, execution.kind ?? "query");
  };
}

/** Executes by graphql-js. */
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

/** The answer of an operation that took too long. Nothing of it is known, so it has no data. */
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
