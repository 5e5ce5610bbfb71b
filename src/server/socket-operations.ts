/**
 * What graphql-ws does with an operation: the options that make a WebSocket run the same pipeline as HTTP. graphql-ws keeps the
 * protocol; documents, limits, context, execution and errors are the ones HTTP uses.
 *
 * The consistency token travels as init parameter `souk-seen`, comes back as `extensions.seen` of a mutation's answer, and is
 * remembered for the rest of the socket. So does the guest: init parameter `guest`, `extensions.guest` of the write that made one.
 */
import { randomUUID } from "node:crypto";
import {
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from "graphql";
import type { Context, ServerOptions, SubscribePayload } from "graphql-ws";
import type { Logger } from "pino";
import { BadUserInput } from "../domain/errors.js";
import { latestSeen } from "../domain/seen.js";
import type { PersistedDocuments } from "../services/persisted-documents.js";
import { type Caller, type CallerRules, type CreateContext, GUEST_HEADER, Operation, readCaller } from "./context.js";
import type { CheckCost } from "./cost.js";
import { type SpelledOut, spellOut } from "./document-request.js";
import type { DocumentReader } from "./documents.js";
import type { Executor } from "./executor.js";
import { type ErrorDetail, isInternal } from "./format-error.js";
import type { Metrics } from "./metrics.js";
import type { ObserveOperation } from "./observe.js";
import type { Peer } from "./peer.js";
import type { SessionSockets } from "./session-sockets.js";
import { finish, present, run, sessionEnded } from "./socket-answers.js";
import { createSubscriptions } from "./socket-subscriptions.js";
import { type Ticket, takePlace, unlessGivenUp } from "./socket-ticket.js";
import { refuseIllFormed } from "./text-input.js";

/** What the WebSocket side of the pipeline is made of. */
export interface SocketOperationParts {
  readonly schema: GraphQLSchema;
  readonly readDocument: DocumentReader;
  readonly checkCost: CheckCost;
  readonly documents: PersistedDocuments;
  readonly executor: Executor;
  readonly callers: CallerRules;
  readonly sessions: SessionSockets;
  readonly createContext: CreateContext;
  readonly maxOperations: number;
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
  { callers, sessions }: SocketOperationParts,
  { connectionParams, extra: { peer } }: SocketContext,
): Promise<boolean> {
  const given = new Map(Object.entries(connectionParams ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const get = (name: string) => {
    const value = given.get(name === GUEST_HEADER ? "guest" : name) ?? peer.headers[name];
    return typeof value === "string" ? value : undefined;
  };
  const heard = sessions.heard();
  try {
    peer.caller = await readCaller({ get, cookie: (name) => peer.cookie(name), ip: peer.ip, takesCookies: false }, callers);
  } catch {
    return false;
  }
  if (peer.caller.principal.kind === "unknown") peer.socket.close(TRY_AGAIN_LATER, "The session cannot be looked up");
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
  const caller = await parts.sessions.callerOf(peer, { used: true });
  if (!caller) return [sessionEnded()];
  const operation = new Operation(caller, randomUUID(), parts.createContext);
  const ready = await admit(parts, Object.keys(context.subscriptions).length, payload, caller);
  if ("document" in ready) {
    operation.name = ready.operation.name?.value ?? null;
    operation.kind = ready.operation.operation;
    const { document } = ready;
    return {
      id,
      ticket,
      schema: parts.schema,
      document,
      operationName: payload.operationName,
      variableValues: payload.variables,
      operation,
      peer,
      startedAt,
    };
  }
  parts.observe(operation, { transport: "websocket", durationMs: performance.now() - startedAt, outcome: "refused" });
  return ready.map((error) => withRequest(error, operation.requestId));
}

async function admit(
  { maxOperations, readDocument, documents, checkCost }: SocketOperationParts,
  running: number,
  payload: SubscribePayload,
  caller: Caller,
) {
  if (running > maxOperations)
    return [new GraphQLError(`A socket runs at most ${maxOperations} operations at once.`, { extensions: { code: "RATE_LIMITED" } })];
  let spelled: SpelledOut<SubscribePayload>;
  try {
    refuseIllFormed(payload);
    spelled = await spellOut(documents, payload, caller.principal);
    if (spelled.parameters.query === "") throw new BadUserInput("The query is empty.");
  } catch (error) {
    return [refusalBy(error)];
  }
  const document = readDocument(spelled.parameters.query);
  if (!("kind" in document)) return document;
  spelled.keep();
  const operation = getOperationAST(document, payload.operationName);
  if (!operation)
    return [
      new GraphQLError("The document has no such operation, or several and none is named.", { extensions: { code: "BAD_USER_INPUT" } }),
    ];
  try {
    checkCost({ document, operationName: payload.operationName, variables: payload.variables });
    return { document, operation };
  } catch (error) {
    return [refusalBy(error)];
  }
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
    if (operation.written) peer.caller = { ...peer.caller, seen: latestSeen(peer.caller.seen, operation.written) };
    const failed = result.errors?.some(isInternal);
    parts.observe(operation, {
      transport: "websocket",
      durationMs: performance.now() - startedAt,
      outcome: failed ? "failed" : "answered",
    });
    return finish(parts, result, operation);
  } finally {
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
