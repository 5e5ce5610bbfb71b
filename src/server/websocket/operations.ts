/**
 * The graphql-ws options that run operations through the pipeline
 * of HTTP. graphql-ws keeps the protocol; documents, limits,
 * context, execution and errors are shared.
 *
 * The consistency token comes as init parameter `souk-seen` and
 * returns as `extensions.seen` of a mutation. It is kept for the
 * socket. The guest is treated likewise, as `guest` and
 * `extensions.guest`.
 */
import type { ExecutionResult, FormattedExecutionResult, GraphQLError } from "graphql";
import { CloseCode, type ServerOptions } from "graphql-ws";
import type { Stream } from "../../domain/concurrency/stream.js";
import { latestToken } from "../../domain/reading/consistency-token.js";
import { findAnswer } from "../answers/find-answer.js";
import type { Recording } from "../answers/stored-answers.js";
import { endRecording } from "../answers/stored-body.js";
import type { PreparedOperation } from "../cost/cost.js";
import { isInternal } from "../operation/format-error.js";
import { MAX_NAME_CHARACTERS } from "../operation/names.js";
import { acknowledge } from "./acknowledge.js";
import {
  asGraphQLError,
  type ExecutedDocument,
  errorRequestId,
  formatErrors,
  formatResult,
  runOperation,
  sessionEnded,
} from "./answers.js";
import { cancellationOf, reserveOperationId, unlessCancelled } from "./cancellation.js";
import type {
  SocketContext,
  SocketExecution,
  SocketExtra,
  SocketOperationDeps,
} from "./execution.js";
import { prepare } from "./prepare.js";
import { sendStored } from "./stored-answer.js";
import { createSubscriptions } from "./subscriptions.js";

type Options = ServerOptions<Record<string, unknown>, SocketExtra>;

export function socketOperations(deps: SocketOperationDeps): Options {
  const subscribe = createSubscriptions(deps);
  return {
    onConnect(context) {
      context.extra.initReceived();
      return acknowledge(deps, context);
    },
    onSubscribe(context, id, payload) {
      if (id.length > MAX_NAME_CHARACTERS) return refuseLongId(context);
      const cancellation = reserveOperationId(context, id);
      return unlessCancelled(cancellation, () =>
        prepare(deps, context, { id, payload, cancellation }),
      );
    },
    execute: (args) => start(args as SocketExecution, (execution) => executeOnce(deps, execution)),
    subscribe: (args) => start(args as SocketExecution, subscribe),
    // execute and subscribe return formatted results.
    onNext: (...[context, id, , , result]) =>
      whenWritable(context, id, result as FormattedExecutionResult),
    onError: (_context, _id, _payload, errors) =>
      formatErrors(deps, errors, errorRequestId(errors)),
  };
}

/** Delays an answer until the socket has room for it. */
async function whenWritable(
  context: SocketContext,
  id: string,
  answer: FormattedExecutionResult,
): Promise<FormattedExecutionResult> {
  const cancellation = cancellationOf(context, id);
  await context.extra.connection.whenWritable();
  return unlessCancelled(cancellation, async () => answer);
}

/** Every message repeats the id, so a long one is refused. */
function refuseLongId({ extra: { connection } }: SocketContext): readonly GraphQLError[] {
  connection.close(CloseCode.BadRequest, "The id of an operation is too long");
  return [sessionEnded()];
}

/** Starts an admitted operation, unless it was cancelled. */
function start<T extends object>(
  execution: SocketExecution,
  begin: (execution: SocketExecution) => Promise<T>,
): Promise<T> {
  const { cancellation, operation } = execution;
  if (cancellation.isCancelled) operation.end();
  return unlessCancelled(cancellation, () => begin(execution)).finally(() =>
    operation.permit?.release(),
  );
}

/** Answers from the store, else by execution. */
async function executeOnce(
  deps: SocketOperationDeps,
  execution: SocketExecution,
): Promise<ExecutionResult | Stream<never>> {
  const { operation, connection, startedAt, ...args } = execution;
  connection.runningOperations++;
  let recording: Recording | null = null;
  let answered: ExecutionResult | null = null;
  try {
    const request = deps.answerRequests.of(preparedOf(args), operation.caller);
    const found = request && (await findAnswer(deps.answers, request.key, operation.caller.seen));
    if (found && (await found.isCurrent)) return await sendStored(deps, execution, found.answer);
    recording = request && deps.answers.record(request.key);
    operation.trace = recording?.trace ?? null;
    const result = await runOperation(deps, args, operation);
    operation.settle(result);
    if (operation.written)
      connection.caller = {
        ...connection.caller,
        seen: latestToken(connection.caller.seen, operation.written),
      };
    const failed = result.errors?.some(isInternal);
    deps.observe(operation, {
      transport: "websocket",
      durationMs: performance.now() - startedAt,
      outcome: failed ? "failed" : "answered",
    });
    answered = formatResult(deps, result, operation);
    return answered;
  } catch (error) {
    return formatResult(deps, { errors: [asGraphQLError(error)] }, operation);
  } finally {
    operation.settle(null);
    if (recording) endRecording(recording, operation, answered && JSON.stringify(answered));
    connection.runningOperations--;
  }
}

const preparedOf = ({
  document,
  operationName,
  variableValues: variables,
}: ExecutedDocument): PreparedOperation => ({ document, operationName, variables });
