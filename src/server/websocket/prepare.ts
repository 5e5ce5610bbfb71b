/** An operation of a socket from its message to its execution. */
import { randomUUID } from "node:crypto";
import { type DocumentNode, GraphQLError, getOperationAST } from "graphql";
import type { SubscribePayload } from "graphql-ws";
import { BadUserInput, RateLimited } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import { type AcknowledgedConnection, isAcknowledged } from "../connection/connection.js";
import { InvalidInput } from "../cost/input.js";
import { acquirePermitOf } from "../load.js";
import { admitSocketOperation, payerOf } from "../operation/admission.js";
import {
  type ResolvedRequest,
  resolveDocument,
  withoutEmpty,
} from "../operation/document-request.js";
import { isRefused } from "../operation/documents.js";
import { refuseLongKeys } from "../operation/names.js";
import { Operation } from "../operation/operation.js";
import { refuseIllFormed } from "../operation/text-input.js";
import { chargeIfRefused, rejectSocketOperation } from "./admission.js";
import { asGraphQLError, sessionEnded, withErrorRequestId } from "./answers.js";
import type { Cancellation } from "./cancellation.js";
import type { SocketContext, SocketExecution, SocketOperationDeps } from "./execution.js";

interface ReceivedOperation {
  readonly id: string;
  readonly payload: SubscribePayload;
  readonly cancellation: Cancellation;
}

/**
 * Checks an operation as HTTP does. A failure is this operation's
 * alone.
 */
export async function prepare(
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
  const ready = await readMessage(
    deps,
    operation,
    Object.keys(context.subscriptions).length,
    payload,
  );
  const errors = "document" in ready ? await admit(deps, connection, operation, ready) : ready;
  if (cancellation.isCancelled) operation.end();
  if ("document" in ready && errors.length === 0) {
    return {
      id,
      cancellation,
      schema: deps.schema,
      document: ready.document,
      operationName: ready.operationName,
      variableValues: ready.variableValues,
      operation,
      connection,
      startedAt,
      payload,
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

async function readMessage(
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
