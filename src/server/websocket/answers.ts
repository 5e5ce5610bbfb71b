/** Answers over a WebSocket, as clients see them. */
import { randomUUID } from "node:crypto";
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from "graphql";
import type { Logger } from "pino";
import type { ConsistencyTokens } from "../../services/consistency-tokens.js";
import { logInternal } from "../http/apollo.js";
import type { OperationExecutor } from "../operation/executor.js";
import { type ErrorDetail, formatError, withRequestId } from "../operation/format-error.js";
import type { Operation } from "../operation/operation.js";

export interface AnswerDeps {
  readonly executor: OperationExecutor;
  readonly seenTokens: Pick<ConsistencyTokens, "write">;
  readonly errors: ErrorDetail;
  readonly log: Logger;
}

export type ExecutedDocument = Pick<ExecutionArgs, "document" | "operationName" | "variableValues">;

/**
 * Executes an operation, or a subscription for one event. Rejects
 * with AnswerTooLarge for an event.
 */
export function runOperation(
  { executor }: AnswerDeps,
  args: ExecutedDocument,
  operation: Operation,
  rootValue?: unknown,
): Promise<ExecutionResult> {
  const { document, operationName, variableValues } = args;
  const { kind, context, startedAtMs } = operation;
  return executor({
    document,
    operationName,
    variables: variableValues,
    kind,
    context,
    rootValue,
    startedAtMs,
  });
}

export function formatResult(
  deps: AnswerDeps,
  { errors, data, extensions }: ExecutionResult,
  operation: Operation,
): ExecutionResult {
  const { written, keptGuest: guest } = operation;
  const all = {
    ...extensions,
    ...operation.extensions,
    ...(written && { seen: deps.seenTokens.write(written) }),
    ...(guest && { guest }),
  };
  const presented = errors && formatErrors(deps, errors, operation.requestId);
  return {
    ...(presented && { errors: presented as unknown as GraphQLError[] }),
    ...(data !== undefined && { data }),
    ...(Object.keys(all).length > 0 && { extensions: all }),
  };
}

/** Internal errors go to the log. */
export function formatErrors(
  { log, errors: detail }: Pick<AnswerDeps, "log" | "errors">,
  errors: readonly GraphQLError[],
  requestId: string,
) {
  logInternal(log, errors, requestId);
  return withRequestId(
    errors.map((error) => formatError(error, detail)),
    requestId,
  );
}

/** Reaches no client: the socket is closing. */
export const sessionEnded = (): GraphQLError =>
  new GraphQLError("The session has ended.", { extensions: { code: "UNAUTHENTICATED" } });

export const asGraphQLError = (error: unknown): GraphQLError =>
  new GraphQLError((error as Error).message, { originalError: error as Error });

/**
 * graphql-ws passes errors without their operation, so they carry
 * its id.
 */
export function withErrorRequestId(error: GraphQLError, requestId: string): GraphQLError {
  error.extensions.requestId = requestId;
  return error;
}

/** The id of {@link withErrorRequestId}, or a new one. */
export function errorRequestId([first]: readonly GraphQLError[]): string {
  const carried = first?.extensions.requestId;
  return typeof carried === "string" ? carried : randomUUID();
}
