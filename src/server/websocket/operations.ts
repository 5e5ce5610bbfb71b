/**
 * What graphql-ws does with an operation: the options that make a WebSocket run the same pipeline
 * as HTTP. graphql-ws keeps the protocol; documents, limits, context, execution and errors are the
 * ones HTTP uses.
 *
 * The consistency token travels as init parameter `souk-seen`, comes back as `extensions.seen` of a
 * mutation's answer, and is remembered for the rest of the socket. So does the guest: init
 * parameter `guest`, `extensions.guest` of the write that made one.
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
import { isWelcomed, type Peer, type WelcomedPeer } from "../connection/connection.js";
import { type Place, takePlaceOf } from "../load.js";
import { letInAgain, payerOf } from "../operation/admission.js";
import { filled, GUEST_HEADER, Operation, readClaim } from "../operation/context.js";
import { type SpelledOut, spellOut, withoutEmpty } from "../operation/document-request.js";
import { isRefused } from "../operation/documents.js";
import { isInternal } from "../operation/format-error.js";
import { InvalidInput } from "../operation/input.js";
import { MAX_NAME_CHARACTERS, refuseLongKeys } from "../operation/names.js";
import { refuseIllFormed } from "../operation/text-input.js";
import { callerOfSocket, chargeIfRefused, refuseOperation } from "./admission.js";
import {
  errorRequestId,
  finish,
  present,
  refusalBy,
  run,
  sessionEnded,
  withRequest,
} from "./answers.js";
import type { SocketExecution, SocketOperationParts } from "./execution.js";
import { createSubscriptions } from "./subscriptions.js";
import { type Ticket, takePlace, ticketOf, unlessGivenUp } from "./ticket.js";

type SocketContext = Context<Record<string, unknown>, { readonly peer: Peer }>;
type Options = ServerOptions<Record<string, unknown>, { readonly peer: Peer }>;

/** The options for graphql-ws. */
export function socketOperations(parts: SocketOperationParts): Options {
  const subscribe = createSubscriptions(parts);
  return {
    onConnect: (context) => welcome(parts, context),
    onSubscribe(context, id, payload) {
      if (id.length > MAX_NAME_CHARACTERS) return refuseLongId(context);
      const ticket = takePlace(context, id);
      return unlessGivenUp(ticket, () => prepare(parts, context, { id, payload, ticket }));
    },
    execute: (args) =>
      launch(args as SocketExecution, (execution) => executeOnce(parts, execution)),
    subscribe: (args) => launch(args as SocketExecution, subscribe),
    // What execute and subscribe answer is already what clients see.
    onNext: (...[context, id, , , result]) =>
      inTurn(context, id, result as FormattedExecutionResult),
    onError: (_context, _id, _payload, errors) => present(parts, errors, errorRequestId(errors)),
  };
}

/** Holds an answer back until the socket has room for it. */
async function inTurn(
  context: SocketContext,
  id: string,
  answer: FormattedExecutionResult,
): Promise<FormattedExecutionResult> {
  const ticket = ticketOf(context, id);
  await context.extra.peer.turn();
  return unlessGivenUp(ticket, async () => answer);
}

/** Every message of an operation repeats its id, so a long one is no message of the protocol. */
function refuseLongId({ extra: { peer } }: SocketContext): readonly GraphQLError[] {
  peer.close(CloseCode.BadRequest, "The id of an operation is too long");
  return [sessionEnded()];
}

/**
 * Reads the caller from the init payload, or from the upgrade's headers where a client can set
 * them; that is who the socket is for the rest of its life. False closes with 4403, unless the
 * socket is closed already. Nobody is taken for somebody unknown that long: with 1013 the client
 * comes again.
 */
async function welcome(parts: SocketOperationParts, context: SocketContext): Promise<boolean> {
  const { callers, sessions, admission, counts } = parts;
  const { peer } = context.extra;
  const parameters = Object.entries(context.connectionParams ?? {}).filter(
    ([, value]) => filled(value) !== undefined,
  );
  const given = new Map(parameters.map(([name, value]) => [name.toLowerCase(), value]));
  const get = (name: string) =>
    filled(given.get(name === GUEST_HEADER ? "guest" : name) ?? own(peer.headers, name));
  // graphql-ws would keep what was read for the life of the socket: up to a frame.
  Object.assign(context, { connectionParams: undefined });
  const heard = sessions.heard();
  let place: Place | null = null;
  try {
    const source = {
      get,
      cookie: (name: string) => peer.cookie(name),
      ip: peer.ip,
      takesCookies: false,
    };
    const claimed = readClaim(source, callers);
    place = takePlaceOf(parts, admission.payerOf(claimed.claim));
    const caller = await callerOfSocket(admission, claimed);
    if (caller.principal.kind === "unknown")
      peer.close(TRY_AGAIN_LATER, "The session cannot be looked up");
    // A socket that has closed meanwhile would be counted for good.
    if (!peer.isOpen) return false;
    if (!counts.joinSocket(caller, peer))
      peer.close(TRY_AGAIN_LATER, "This user has too many sockets");
    else sessions.join(peer.welcome(caller), heard);
  } catch (error) {
    if (error instanceof RateLimited || error instanceof Overloaded)
      peer.close(TRY_AGAIN_LATER, error.message);
  } finally {
    place?.leave();
  }
  return isWelcomed(peer);
}

const TRY_AGAIN_LATER = 1013;

/** Begins an operation that was let in, unless it was given up since. */
function launch<T extends object>(
  execution: SocketExecution,
  begin: (execution: SocketExecution) => Promise<T>,
): Promise<T> {
  const { ticket, operation } = execution;
  if (ticket.givenUp) operation.ended();
  return unlessGivenUp(ticket, () => begin(execution)).finally(() => operation.place?.leave());
}

/** What a client has sent to be run. */
interface Sent {
  readonly id: string;
  readonly payload: SubscribePayload;
  readonly ticket: Ticket;
}

/**
 * Checks an operation as HTTP does and makes it ready to run. Whatever fails is this operation's
 * failure alone.
 */
async function prepare(
  parts: SocketOperationParts,
  context: SocketContext,
  sent: Sent,
): Promise<SocketExecution | readonly GraphQLError[]> {
  const { peer } = context.extra;
  if (!isWelcomed(peer)) return [sessionEnded()];
  peer.running++;
  try {
    return await check(parts, context, { ...sent, peer });
  } catch (error) {
    return [refusalBy(error)];
  } finally {
    peer.running--;
  }
}

async function check(
  parts: SocketOperationParts,
  context: SocketContext,
  { id, payload, ticket, peer }: Sent & { readonly peer: WelcomedPeer },
): Promise<SocketExecution | readonly GraphQLError[]> {
  const startedAt = performance.now();
  const operation = new Operation(peer.caller, randomUUID(), parts.createContext);
  operation.place = takePlaceOf(parts, payerOf(parts.admission, operation));
  const ready = await read(parts, operation, Object.keys(context.subscriptions).length, payload);
  const errors = "document" in ready ? await enter(parts, peer, operation, ready) : ready;
  if (ticket.givenUp) operation.ended();
  if ("document" in ready && errors.length === 0) {
    return { id, ticket, schema: parts.schema, ...ready, operation, peer, startedAt };
  }
  operation.place.leave();
  chargeIfRefused(parts, operation, payload.query);
  parts.observe(operation, {
    transport: "websocket",
    durationMs: performance.now() - startedAt,
    outcome: "refused",
  });
  return errors.map((error) => withRequest(error, operation.requestId));
}

/** Lets an operation in whose document is valid; answers why not. */
async function enter(
  parts: SocketOperationParts,
  peer: WelcomedPeer,
  operation: Operation,
  ready: ReadyToRun,
): Promise<readonly GraphQLError[]> {
  const priced = {
    document: ready.document,
    operationName: ready.operationName,
    variables: ready.variableValues,
  };
  try {
    // Its place is taken first: a refusal for want of one costs nothing.
    if (operation.kind === "subscription")
      operation.whenEnded = parts.counts.openSubscription(operation.caller);
    const isAlive = await letInAgain(parts, operation, priced, () =>
      parts.sessions.callerOf(peer, { used: true }),
    );
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
  /** To be called once it is let in: what is not paid for is not remembered. */
  keep(): void;
}

async function read(
  parts: SocketOperationParts,
  operation: Operation,
  running: number,
  payload: SubscribePayload,
): Promise<ReadyToRun | readonly GraphQLError[]> {
  const { maxOperations, readDocument, documents } = parts;
  if (running > maxOperations) {
    operation.refusal = new RateLimited(
      `A socket runs at most ${maxOperations} operations at once.`,
      SECOND,
      { bucket: "operations" },
    );
    return [refusalBy(operation.refusal)];
  }
  let spelled: SpelledOut<SubscribePayload>;
  try {
    refuseOperation(parts, operation, null);
    refuseIllFormed(payload);
    refuseLongKeys(payload);
    spelled = await spellOut(documents, payload, operation.caller.principal);
    if (spelled.parameters.query === "") throw new BadUserInput("The query is empty.");
    refuseOperation(parts, operation, spelled.parameters);
  } catch (error) {
    return [refusalBy(error)];
  }
  const document = readDocument(spelled.parameters.query);
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
  return { document, operationName, variableValues, keep: spelled.keep };
}

/** A query or mutation. */
async function executeOnce(
  parts: SocketOperationParts,
  { operation, peer, startedAt, ...args }: SocketExecution,
): Promise<ExecutionResult> {
  peer.running++;
  try {
    const result = await run(parts, args, operation);
    operation.settle(result);
    if (operation.written)
      peer.caller = { ...peer.caller, seen: latestSeen(peer.caller.seen, operation.written) };
    const failed = result.errors?.some(isInternal);
    parts.observe(operation, {
      transport: "websocket",
      durationMs: performance.now() - startedAt,
      outcome: failed ? "failed" : "answered",
    });
    return finish(parts, result, operation);
  } catch (error) {
    return finish(parts, { errors: [refusalBy(error)] }, operation);
  } finally {
    operation.settle(null);
    peer.running--;
  }
}
