/**
 * The graphql-ws options that run operations through the pipeline
 * of HTTP. graphql-ws keeps the protocol; documents, limits,
 * context, execution and errors are shared.
 *
 * The consistency token comes as init parameter `souk-seen`,
 * returns as `extensions.seen` of a mutation, and is kept for the
 * socket. The guest does so as `guest` and `extensions.guest`.
 */

import { randomUUID } from "node:crypto";
import {
  type DocumentNode,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  getOperationAST,
} from "graphql";
import { CloseCode, type Context, type ServerOptions, type SubscribePayload } from "graphql-ws";
import { BadUserInput, Overloaded, RateLimited } from "../../domain/errors.js";
import { own } from "../../domain/own.js";
import { latestSeen } from "../../domain/seen.js";
import { SECOND } from "../../domain/time/time.js";
import {
  type AcknowledgedConnection,
  type Connection,
  isAcknowledged,
} from "../connection/connection.js";
import { acquirePermitOf, type Permit } from "../load.js";
import { admitSocketOperation, payerOf } from "../operation/admission.js";
import { filled, GUEST_HEADER, Operation, readClaim } from "../operation/context.js";
import {
  type ResolvedRequest,
  resolveDocument,
  withoutEmpty,
} from "../operation/document-request.js";
import { isRefused } from "../operation/documents.js";
import { isInternal } from "../operation/format-error.js";
import { InvalidInput } from "../operation/input.js";
import { MAX_NAME_CHARACTERS, refuseLongKeys } from "../operation/names.js";
import { refuseIllFormed } from "../operation/text-input.js";
import { authenticateSocket, chargeIfRefused, rejectSocketOperation } from "./admission.js";
import {
  asGraphQLError,
  errorRequestId,
  formatErrors,
  formatResult,
  runOperation,
  sessionEnded,
  withErrorRequestId,
} from "./answers.js";
import {
  type Cancellation,
  cancellationOf,
  reserveOperationId,
  unlessCancelled,
} from "./cancellation.js";
import type { SocketExecution, SocketOperationDeps } from "./execution.js";
import { createSubscriptions } from "./subscriptions.js";

type SocketContext = Context<Record<string, unknown>, { readonly connection: Connection }>;
type Options = ServerOptions<Record<string, unknown>, { readonly connection: Connection }>;

export function socketOperations(deps: SocketOperationDeps): Options {
  const subscribe = createSubscriptions(deps);
  return {
    onConnect: (context) => acknowledge(deps, context),
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

/**
 * Reads the caller of the socket from the init payload, or from
 * the upgrade's headers. False closes with 4403, unless the
 * socket is closed. A session that cannot be looked up closes
 * with 1013: the client reconnects.
 */
async function acknowledge(deps: SocketOperationDeps, context: SocketContext): Promise<boolean> {
  const { callers, sessions, admission, counts } = deps;
  const { connection } = context.extra;
  const parameters = Object.entries(context.connectionParams ?? {}).filter(
    ([, value]) => filled(value) !== undefined,
  );
  const given = new Map(parameters.map(([name, value]) => [name.toLowerCase(), value]));
  const get = (name: string) =>
    filled(given.get(name === GUEST_HEADER ? "guest" : name) ?? own(connection.headers, name));
  // graphql-ws would keep them for the life of the socket: up to
  // a frame.
  Object.assign(context, { connectionParams: undefined });
  const endsSeen = sessions.endsSeen();
  let permit: Permit | null = null;
  try {
    const source = {
      get,
      cookie: (name: string) => connection.cookie(name),
      ip: connection.ip,
      takesCookies: false,
    };
    const claimed = readClaim(source, callers);
    permit = acquirePermitOf(deps, admission.payerOf(claimed.claim));
    const caller = await authenticateSocket(admission, claimed);
    if (caller.principal.kind === "unknown")
      connection.close(TRY_AGAIN_LATER, "The session cannot be looked up");
    // A closed socket would stay counted.
    if (!connection.isOpen) return false;
    if (!counts.countUserSocket(caller, connection))
      connection.close(TRY_AGAIN_LATER, "This user has too many sockets");
    else sessions.track(connection.acknowledge(caller), endsSeen);
  } catch (error) {
    if (error instanceof RateLimited || error instanceof Overloaded)
      connection.close(TRY_AGAIN_LATER, error.message);
  } finally {
    permit?.release();
  }
  return isAcknowledged(connection);
}

const TRY_AGAIN_LATER = 1013;

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

interface ReceivedOperation {
  readonly id: string;
  readonly payload: SubscribePayload;
  readonly cancellation: Cancellation;
}

/**
 * Checks an operation as HTTP does. A failure is this operation's
 * alone.
 */
async function prepare(
  deps: SocketOperationDeps,
  context: SocketContext,
  received: ReceivedOperation,
): Promise<SocketExecution | readonly GraphQLError[]> {
  const { connection } = context.extra;
  if (!isAcknowledged(connection)) return [sessionEnded()];
  connection.runningOperations++;
  try {
    return await prepareAdmitted(deps, context, { ...received, connection });
  } catch (error) {
    return [asGraphQLError(error)];
  } finally {
    connection.runningOperations--;
  }
}

async function prepareAdmitted(
  deps: SocketOperationDeps,
  context: SocketContext,
  {
    id,
    payload,
    cancellation,
    connection,
  }: ReceivedOperation & { readonly connection: AcknowledgedConnection },
): Promise<SocketExecution | readonly GraphQLError[]> {
  const startedAt = performance.now();
  const operation = new Operation(connection.caller, randomUUID(), deps.createContext);
  operation.permit = acquirePermitOf(deps, payerOf(deps.admission, operation));
  const ready = await read(deps, operation, Object.keys(context.subscriptions).length, payload);
  const errors = "document" in ready ? await admit(deps, connection, operation, ready) : ready;
  if (cancellation.isCancelled) operation.end();
  if ("document" in ready && errors.length === 0) {
    return {
      id,
      cancellation,
      schema: deps.schema,
      ...ready,
      operation,
      connection,
      startedAt,
    };
  }
  operation.permit.release();
  chargeIfRefused(deps, operation, payload.query);
  deps.observe(operation, {
    transport: "websocket",
    durationMs: performance.now() - startedAt,
    outcome: "refused",
  });
  return errors.map((error) => withErrorRequestId(error, operation.requestId));
}

/**
 * Admits an operation whose document is valid; returns the
 * errors.
 */
async function admit(
  deps: SocketOperationDeps,
  connection: AcknowledgedConnection,
  operation: Operation,
  ready: PreparedDocument,
): Promise<readonly GraphQLError[]> {
  const priced = {
    document: ready.document,
    operationName: ready.operationName,
    variables: ready.variableValues,
  };
  try {
    // Counted first: a rejection at the limit costs nothing.
    if (operation.kind === "subscription")
      operation.onEnd = deps.counts.countSubscription(operation.caller);
    const isAlive = await admitSocketOperation(deps, operation, priced, () =>
      deps.sessions.callerOf(connection, { used: true }),
    );
    if (isAlive) {
      ready.keep();
      return [];
    }
    operation.end();
    return [sessionEnded()];
  } catch (error) {
    operation.end();
    if (error instanceof RateLimited) operation.refusal = error;
    return error instanceof InvalidInput ? error.errors : [asGraphQLError(error)];
  }
}

/** A valid document. */
interface PreparedDocument {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variableValues: Record<string, unknown> | null | undefined;
  /** Call after admission: unpaid documents are not remembered. */
  keep(): void;
}

async function read(
  deps: SocketOperationDeps,
  operation: Operation,
  running: number,
  payload: SubscribePayload,
): Promise<PreparedDocument | readonly GraphQLError[]> {
  const { maxOperations, readDocument, documents } = deps;
  if (running > maxOperations) {
    operation.refusal = new RateLimited(
      `A socket runs at most ${maxOperations} operations at once.`,
      SECOND,
      { bucket: "operations" },
    );
    return [asGraphQLError(operation.refusal)];
  }
  let resolved: ResolvedRequest<SubscribePayload>;
  try {
    rejectSocketOperation(deps, operation, null);
    refuseIllFormed(payload);
    refuseLongKeys(payload);
    resolved = await resolveDocument(documents, payload, operation.caller.principal);
    if (resolved.parameters.query === "") throw new BadUserInput("The query is empty.");
    rejectSocketOperation(deps, operation, resolved.parameters);
  } catch (error) {
    return [asGraphQLError(error)];
  }
  const document = readDocument(resolved.parameters.query);
  if (isRefused(document)) return document;
  const { operationName, variables: variableValues } = withoutEmpty(payload);
  const named = getOperationAST(document, operationName);
  if (!named)
    return [
      new GraphQLError("The document has no such operation, or several and none is named.", {
        extensions: { code: "BAD_USER_INPUT" },
      }),
    ];
  operation.name = named.name?.value ?? null;
  operation.kind = named.operation;
  return { document, operationName, variableValues, keep: resolved.keep };
}

async function executeOnce(
  deps: SocketOperationDeps,
  { operation, connection, startedAt, ...args }: SocketExecution,
): Promise<ExecutionResult> {
  connection.runningOperations++;
  try {
    const result = await runOperation(deps, args, operation);
    operation.settle(result);
    if (operation.written)
      connection.caller = {
        ...connection.caller,
        seen: latestSeen(connection.caller.seen, operation.written),
      };
    const failed = result.errors?.some(isInternal);
    deps.observe(operation, {
      transport: "websocket",
      durationMs: performance.now() - startedAt,
      outcome: failed ? "failed" : "answered",
    });
    return formatResult(deps, result, operation);
  } catch (error) {
    return formatResult(deps, { errors: [asGraphQLError(error)] }, operation);
  } finally {
    operation.settle(null);
    connection.runningOperations--;
  }
}
