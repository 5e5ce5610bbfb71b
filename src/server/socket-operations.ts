/**
 * What graphql-ws does with an operation: the options that make a WebSocket run the same pipeline as HTTP. graphql-ws keeps the
 * protocol; documents, limits, context, execution and errors are the ones HTTP uses.
 *
 * The consistency token travels as init parameter `souk-seen`, comes back as `extensions.seen` of a mutation's answer, and is
 * remembered for the rest of the socket. So does the guest: init parameter `guest`, `extensions.guest` of the write that made one.
 */

import { randomUUID } from "node:crypto";
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from "graphql";
import type { Context, ServerOptions, SubscribePayload } from "graphql-ws";
import type { Logger } from "pino";
import { BadUserInput, RateLimited } from "../domain/errors.js";
import { own } from "../domain/own.js";
import { latestSeen } from "../domain/seen.js";
import { SECOND } from "../domain/time.js";
import type { PersistedDocuments } from "../services/persisted-documents.js";
import { type CallerRules, type CreateContext, GUEST_HEADER, Operation, readClaim } from "./context.js";
import { type SpelledOut, spellOut } from "./document-request.js";
import type { Executor } from "./executor.js";
import { type ErrorDetail, isInternal } from "./format-error.js";
import { type GateParts, letInAgain } from "./gate.js";
import type { MessageAllowance } from "./message-allowance.js";
import type { Metrics } from "./metrics.js";
import type { ObserveOperation } from "./observe.js";
import { InvalidInput } from "./operation-input.js";
import type { Peer } from "./peer.js";
import type { SessionSockets } from "./session-sockets.js";
import { callerOfSocket, chargeIfRefused, refuseOperation } from "./socket-admission.js";
import { finish, present, run, sessionEnded } from "./socket-answers.js";
import type { SocketCounts } from "./socket-counts.js";
import { createSubscriptions } from "./socket-subscriptions.js";
import { type Ticket, takePlace, unlessGivenUp } from "./socket-ticket.js";
import { refuseIllFormed } from "./text-input.js";

/** What the WebSocket side of the pipeline is made of. */
export interface SocketOperationParts extends GateParts {
  readonly schema: GraphQLSchema;
  readonly documents: PersistedDocuments;
  readonly executor: Executor;
  readonly callers: CallerRules;
  readonly sessions: SessionSockets;
  readonly createContext: CreateContext;
  readonly maxOperations: number;
  readonly counts: SocketCounts;
  readonly allowance: MessageAllowance;
  readonly deadlineMs: number;
  /** Longest that a socket may lag behind. */
  readonly slowSocketMs: number;
  readonly errors: ErrorDetail;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly observe: ObserveOperation;
}

/** An operation on its way through graphql-ws, which hands the same object from hook to hook. */
export interface SocketExecution extends ExecutionArgs {
  /** The client's name of it. */
  readonly id: string;
  readonly ticket: Ticket;
  readonly operation: Operation;
  readonly peer: Peer;
  readonly startedAt: number;
}

type SocketContext = Context<Record<string, unknown>, { readonly peer: Peer }>;
type Options = ServerOptions<Record<string, unknown>, { readonly peer: Peer }>;

/** The options for graphql-ws. */
export function socketOperations(parts: SocketOperationParts): Options {
  const subscribe = createSubscriptions(parts);
  return {
    onConnect: (context) => welcome(parts, context),
    async onSubscribe(context, id, payload) {
      const ticket = takePlace(context, id);
      return unlessGivenUp(ticket, await prepare(parts, context, { id, payload, ticket }));
    },
    execute: async (args) => unlessGivenUp((args as SocketExecution).ticket, await executeOnce(parts, args as SocketExecution)),
    subscribe: async (args) => unlessGivenUp((args as SocketExecution).ticket, await subscribe(args as SocketExecution)),
    // What execute and subscribe answer is already what clients see.
    onNext: (...[, , , , result]) => result as FormattedExecutionResult,
    onError: (_context, _id, _payload, errors) => present(parts, errors, errorRequestId(errors)),
  };
}

/**
 * Reads the caller from the init payload, or from the upgrade's headers where a client can set them; that is who the socket is for the
 * rest of its life. False closes with 4403. Nobody is taken for somebody unknown that long: with 1013 the client comes again.
 */
async function welcome(
  { callers, sessions, admission, counts }: SocketOperationParts,
  { connectionParams, extra: { peer } }: SocketContext,
): Promise<boolean> {
  const given = new Map(Object.entries(connectionParams ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const get = (name: string) => {
    const value = given.get(name === GUEST_HEADER ? "guest" : name) ?? own(peer.headers, name);
    return typeof value === "string" ? value : undefined;
  };
  const heard = sessions.heard();
  try {
    const source = { get, cookie: (name: string) => peer.cookie(name), ip: peer.ip, takesCookies: false };
    peer.caller = await callerOfSocket(admission, readClaim(source, callers));
  } catch (error) {
    if (!(error instanceof RateLimited)) return false;
    peer.socket.close(TRY_AGAIN_LATER, error.message);
    return true;
  }
  if (peer.caller.principal.kind === "unknown") peer.socket.close(TRY_AGAIN_LATER, "The session cannot be looked up");
  if (!counts.joinSocket(peer)) peer.socket.close(TRY_AGAIN_LATER, "This user has too many sockets");
  peer.forgetHeaders();
  sessions.join(peer, heard);
  return true;
}

const TRY_AGAIN_LATER = 1013;

/** Checks an operation as HTTP does and makes it ready to run. */
async function prepare(
  parts: SocketOperationParts,
  context: SocketContext,
  { id, payload, ticket }: { readonly id: string; readonly payload: SubscribePayload; readonly ticket: Ticket },
): Promise<SocketExecution | readonly GraphQLError[]> {
  const { peer } = context.extra;
  const startedAt = performance.now();
  const operation = new Operation(peer.caller, randomUUID(), parts.createContext);
  const ready = await read(parts, operation, Object.keys(context.subscriptions).length, payload);
  const errors = "document" in ready ? await enter(parts, peer, operation, ready) : ready;
  if (ticket.givenUp) operation.ended();
  if ("document" in ready && errors.length === 0) {
    return { id, ticket, schema: parts.schema, ...ready, operation, peer, startedAt };
  }
  chargeIfRefused(parts, operation, payload.query);
  parts.observe(operation, { transport: "websocket", durationMs: performance.now() - startedAt, outcome: "refused" });
  return errors.map((error) => withRequest(error, operation.requestId));
}

/** Lets an operation in whose document is valid; answers why not. */
async function enter(parts: SocketOperationParts, peer: Peer, operation: Operation, ready: ReadyToRun): Promise<readonly GraphQLError[]> {
  const priced = { document: ready.document, operationName: ready.operationName, variables: ready.variableValues };
  try {
    // Its place is taken first: a refusal for want of one costs nothing.
    if (operation.kind === "subscription") operation.whenEnded = parts.counts.openSubscription(operation.caller);
    const isAlive = await letInAgain(parts, operation, priced, () => parts.sessions.callerOf(peer, { used: true }));
    if (isAlive) {
      ready.keep();
      return [];
    }
    operation.ended();
    return [sessionEnded()];
  } catch (error) {
    operation.ended();
    if (error instanceof RateLimited) operation.refusal = error;
    return error instanceof InvalidInput ? error.errors : [refusalBy(error)];
  }
}

/** A document that is known to be valid. */
interface ReadyToRun {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variableValues: Record<string, unknown> | null | undefined;
  /** To be called once it is let in: what nobody pays for is not remembered. */
  keep(): void;
}

async function read(
  { maxOperations, readDocument, documents, admission, checkCost }: SocketOperationParts,
  operation: Operation,
  running: number,
  payload: SubscribePayload,
): Promise<ReadyToRun | readonly GraphQLError[]> {
  if (running > maxOperations) {
    operation.refusal = new RateLimited(`A socket runs at most ${maxOperations} operations at once.`, SECOND, { bucket: "operations" });
    return [refusalBy(operation.refusal)];
  }
  const gate = { admission, checkCost, readDocument };
  let spelled: SpelledOut<SubscribePayload>;
  try {
    refuseOperation(gate, operation, null);
    refuseIllFormed(payload);
    spelled = await spellOut(documents, payload, operation.caller.principal);
    if (spelled.parameters.query === "") throw new BadUserInput("The query is empty.");
    refuseOperation(gate, operation, spelled.parameters);
  } catch (error) {
    return [refusalBy(error)];
  }
  const document = readDocument(spelled.parameters.query);
  if (!("kind" in document)) return document;
  const { operationName, variables: variableValues } = payload;
  const named = getOperationAST(document, operationName);
  if (!named)
    return [
      new GraphQLError("The document has no such operation, or several and none is named.", { extensions: { code: "BAD_USER_INPUT" } }),
    ];
  operation.name = named.name?.value ?? null;
  operation.kind = named.operation;
  return { document, operationName, variableValues, keep: spelled.keep };
}

const refusalBy = (error: unknown): GraphQLError => new GraphQLError((error as Error).message, { originalError: error as Error });

/** A query or mutation. */
async function executeOnce(
  parts: SocketOperationParts,
  { operation, peer, startedAt, ...args }: SocketExecution,
): Promise<ExecutionResult> {
  peer.running++;
  try {
    const result = await run(parts, args, operation);
    operation.settle(result);
    if (operation.written) peer.caller = { ...peer.caller, seen: latestSeen(peer.caller.seen, operation.written) };
    const failed = result.errors?.some(isInternal);
    parts.observe(operation, {
      transport: "websocket",
      durationMs: performance.now() - startedAt,
      outcome: failed ? "failed" : "answered",
    });
    return finish(parts, result, operation);
  } finally {
    operation.settle(null);
    peer.running--;
  }
}

/** graphql-ws hands errors on without their operation, so they carry its id themselves. */
function withRequest(error: GraphQLError, requestId: string): GraphQLError {
  error.extensions.requestId = requestId;
  return error;
}

function errorRequestId([first]: readonly GraphQLError[]): string {
  const carried = first?.extensions.requestId;
  return typeof carried === "string" ? carried : randomUUID();
}
