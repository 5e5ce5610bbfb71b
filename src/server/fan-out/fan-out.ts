/**
 * Fan-out: equal subscriptions are executed and serialised once
 * per event. The same bytes go to every socket, behind its
 * operation id.
 *
 * graphql-ws keeps the protocol. It gets a stream that only ends.
 * The `next` messages are written here, from the first `next()`
 * to `return()`. The final `complete` or `error` comes from
 * graphql-ws.
 *
 * A group is a document, operation, variables and audience
 * (audience.ts). Only snapshots are shared: each client has its
 * own place in a log.
 */
import type { ExecutionResult } from "graphql";
import type { Logger } from "pino";
import type { Stream } from "../../domain/concurrency/stream.js";
import { type ConsistencyToken, NEWEST } from "../../domain/reading/consistency-token.js";
import type { Payer } from "../../services/rate-limit/charge.js";
import type { Metrics } from "../../telemetry/metrics.js";
import type { AcknowledgedConnection } from "../connection/connection.js";
import type { MessageAllowance } from "../connection/message-allowance.js";
import type { SessionSockets } from "../connection/session-sockets.js";
import type { PreparedOperation } from "../cost/cost.js";
import { createAnswerKeys } from "../operation/answer-key.js";
import type { PlanAnswer } from "../operation/answer-plan.js";
import type { Caller } from "../operation/caller.js";
import { hasTransientError } from "../operation/format-error.js";
import { type Audience, audienceOf } from "./audience.js";
import { Group } from "./group.js";
import { SocketWriter } from "./socket-writer.js";
import { Subscriber } from "./subscriber.js";
import { WriteTurn } from "./write-turn.js";

export interface FanOutDeps {
  readonly plan: PlanAnswer;
  readonly sessions: Pick<SessionSockets, "callerOf">;
  /** Opens a source as `caller`. Rejects with DeadlineExceeded. */
  open(
    operation: PreparedOperation,
    caller: Caller,
  ): Promise<AsyncIterator<unknown> | ExecutionResult>;
  /** Executes one event as `caller`. */
  execute(operation: PreparedOperation, caller: Caller, event: unknown): Promise<ExecutedEvent>;
  /** The cost of a message, by its answer. */
  costOf(operation: PreparedOperation): (answer: ExecutionResult) => number;
  readonly allowance: MessageAllowance;
  readonly payerOf: (connection: AcknowledgedConnection) => Payer;
  /** Longest that a socket may lag behind. */
  readonly slowMs: number;
  readonly metrics: Pick<Metrics, "messages" | "fanOutGroups">;
  readonly log: Logger;
}

export interface ExecutedEvent {
  /** As clients see it. */
  readonly answer: ExecutionResult;
  /** A fallback answered for some of it. */
  readonly provisional: boolean;
}

/** One subscription of a socket. */
export interface SubscriptionRequest extends PreparedOperation {
  readonly connection: AcknowledgedConnection;
  /** As confirmed just now. */
  readonly caller: Caller;
  /** The client's operation id. */
  readonly id: string;
}

export interface FanOut {
  /**
   * Whether messages may be shared; if not, each client has its
   * own events.
   */
  canShare(operation: PreparedOperation): boolean;
  /**
   * A stream that ends with the subscription, or the errors why
   * there is none. Rejects with DeadlineExceeded.
   */
  subscribe(request: SubscriptionRequest): Promise<Stream<never> | ExecutionResult>;
}

export function createFanOut(deps: FanOutDeps): FanOut {
  const { plan, sessions, metrics } = deps;
  const groups = new Map<string, Group>();
  const keyOf = createAnswerKeys();
  const turn = new WriteTurn();
  const writerOf = forEachSocket((connection) => new SocketWriter(connection, deps.slowMs, turn));
  let sockets = 0;
  const numberOf = forEachSocket(() => ++sockets);

  const groupOf = (request: SubscriptionRequest): Group => {
    const { connection, caller, document, operationName } = request;
    const { scope } = plan(document, operationName);
    const audience = audienceOf(scope, {
      connection,
      caller,
      numberOf,
      sessions,
    });
    const key = `${audience.key} ${keyOf(request)}`;
    const known = groups.get(key);
    if (known) return known;
    const group = makeGroup(deps, { request, audience }, () => {
      if (groups.get(key) === group && groups.delete(key)) metrics.fanOutGroups(-1);
    });
    groups.set(key, group);
    metrics.fanOutGroups(1);
    return group;
  };

  return {
    canShare: ({ document, operationName }) =>
      plan(document, operationName).delivery === "SNAPSHOT",
    async subscribe(request) {
      const group = groupOf(request);
      group.retain();
      const refusal = await group.opened;
      if (refusal) return refusal;
      const { connection, id } = request;
      return new Subscriber(group, connection, { writer: writerOf(connection), id }).stream;
    },
  };
}

/** The group of the first request; equal ones share it. */
function makeGroup(
  deps: FanOutDeps,
  { request, audience }: { request: SubscriptionRequest; audience: Audience },
  closed: () => void,
): Group {
  const { document, operationName, variables } = request;
  const operation = { document, operationName, variables };
  const costOf = deps.costOf(operation);
  return new Group({
    audience,
    open: () => deps.open(operation, audience.opener),
    async execute(event, newest, subscribers) {
      const caller = await audience.caller();
      if (!caller) return null;
      const { answer, provisional } = await deps.execute(
        operation,
        { ...caller, seen: seenOf(caller, newest) },
        event,
      );
      deps.allowance.spend(payersOf(deps, subscribers), costOf(answer));
      const hasData = Boolean(answer.data);
      return {
        json: JSON.stringify(answer),
        failed: hasTransientError(answer),
        hasData,
        provisional: provisional && hasData,
      };
    },
    waitMs: (subscribers) => deps.allowance.waitMs(payersOf(deps, subscribers)),
    sent: (count) => deps.metrics.messages(count),
    closed,
    log: deps.log,
  });
}

function* payersOf(
  { payerOf }: FanOutDeps,
  subscribers: ReadonlySet<Subscriber>,
): Generator<Payer> {
  for (const { connection } of subscribers) yield payerOf(connection);
}

/**
 * The consistency that a reading needs. A subscriber's own token
 * never reaches a shared reading. Bypassing the cache is ignored:
 * messages are paid at admission.
 */
const seenOf = ({ seen: { count } }: Caller, newest: boolean): ConsistencyToken => ({
  count: newest ? NEWEST : count,
  bypassUntilMs: 0,
});

/** Something for each socket, made on first use. */
function forEachSocket<T>(make: (connection: AcknowledgedConnection) => T) {
  const known = new WeakMap<AcknowledgedConnection, T>();
  return (connection: AcknowledgedConnection): T => {
    const made = known.get(connection) ?? make(connection);
    known.set(connection, made);
    return made;
  };
}
