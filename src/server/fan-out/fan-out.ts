/**
 * Fan-out: what many clients ask alike is executed and serialised once per event, and the same
 * bytes go to every socket, with only the operation id in front.
 *
 * graphql-ws keeps the protocol: for these subscriptions it gets an iterator that only ends, while
 * the `next` messages are written to the socket here, from the first `next()` on until `return()`.
 * What follows the last one, `complete` or `error`, comes from graphql-ws. One group per document,
 * operation, variables and audience (audience.ts). Only snapshots are shared: of a log,
 * every client has its own part to come.
 */
import type { ExecutionResult } from "graphql";
import type { Logger } from "pino";
import { NEWEST, type Seen } from "../../domain/seen.js";
import type { Payer } from "../../services/rate-limit/limits.js";
import type { Metrics } from "../../telemetry/metrics.js";
import type { WelcomedPeer } from "../connection/connection.js";
import type { MessageAllowance } from "../connection/message-allowance.js";
import type { SessionSockets } from "../connection/session-sockets.js";
import type { Caller } from "../operation/context.js";
import { hasTransientError } from "../operation/format-error.js";
import { type Audience, audienceOf } from "./audience.js";
import { Group } from "./group.js";
import { type Asked, createKeyMaker } from "./key.js";
import { Member } from "./member.js";
import { Outlet } from "./outlet.js";
import type { Planner } from "./plan.js";

/** What fan-out is made of. */
export interface FanOutParts {
  readonly plan: Planner;
  readonly sessions: Pick<SessionSockets, "callerOf">;
  /** Opens the source of a subscription as `caller`. Rejects with DeadlineExceeded. */
  open(asked: Asked, caller: Caller): Promise<AsyncIterator<unknown> | ExecutionResult>;
  /** Executes a subscription for one event as `caller`. */
  execute(asked: Asked, caller: Caller, event: unknown): Promise<Execution>;
  /** What a message costs, by its answer. */
  costOf(asked: Asked): (answer: ExecutionResult) => number;
  readonly allowance: MessageAllowance;
  readonly payerOf: (peer: WelcomedPeer) => Payer;
  /** Longest that a socket may lag behind. */
  readonly slowMs: number;
  readonly metrics: Pick<Metrics, "messages" | "fanOutGroups">;
  readonly log: Logger;
}

/** What an event was executed to. */
export interface Execution {
  /** The answer as clients see it. */
  readonly answer: ExecutionResult;
  /** A fallback answered for some of it. */
  readonly provisional: boolean;
}

/** One subscription of a socket. */
export interface Subscriber extends Asked {
  readonly peer: WelcomedPeer;
  /** Who it was found to be just now. */
  readonly caller: Caller;
  /** The client's name of the operation. */
  readonly id: string;
}

/** Serves subscriptions whose messages can be shared. */
export interface FanOut {
  /** Whether a subscription is served here; if not, it has events of its own. */
  serves(asked: Asked): boolean;
  /**
   * Resolves to what ends when the subscription does, or to why there is none. Rejects with
   * DeadlineExceeded.
   */
  subscribe(subscriber: Subscriber): Promise<AsyncIterableIterator<never> | ExecutionResult>;
}

/** Makes the fan-out of a server. */
export function createFanOut(parts: FanOutParts): FanOut {
  const { plan, sessions, metrics } = parts;
  const groups = new Map<string, Group>();
  const keyOf = createKeyMaker();
  const socketOf = createSockets(parts.slowMs);

  const groupOf = (subscriber: Subscriber): Group => {
    const { peer, caller, document, operationName } = subscriber;
    const { scope } = plan(document, operationName);
    const audience = audienceOf(scope, {
      peer,
      caller,
      socketNumber: socketOf(peer).number,
      sessions,
    });
    const key = `${audience.key} ${keyOf(subscriber)}`;
    const known = groups.get(key);
    if (known) return known;
    const group = makeGroup(parts, { subscriber, audience }, () => {
      if (groups.get(key) === group && groups.delete(key)) metrics.fanOutGroups(-1);
    });
    groups.set(key, group);
    metrics.fanOutGroups(1);
    return group;
  };

  return {
    serves: ({ document, operationName }) => plan(document, operationName).delivery === "SNAPSHOT",
    async subscribe(subscriber) {
      const group = groupOf(subscriber);
      group.hold();
      const refusal = await group.opened;
      if (refusal) return refusal;
      const { peer, id } = subscriber;
      return membership(group, new Member(peer, socketOf(peer).outlet, id));
    },
  };
}

/** A group of whoever asks the same as the first subscriber. */
function makeGroup(
  parts: FanOutParts,
  { subscriber, audience }: { subscriber: Subscriber; audience: Audience },
  closed: () => void,
): Group {
  const { document, operationName, variables } = subscriber;
  const asked = { document, operationName, variables };
  const costOf = parts.costOf(asked);
  return new Group({
    audience,
    open: () => parts.open(asked, audience.opener),
    async execute(event, newest, members) {
      const caller = await audience.caller();
      if (!caller) return null;
      const { answer, provisional } = await parts.execute(
        asked,
        { ...caller, seen: seenOf(caller, newest) },
        event,
      );
      parts.allowance.spend(payersOf(parts, members), costOf(answer));
      const hasData = Boolean(answer.data);
      return {
        json: JSON.stringify(answer),
        failed: hasTransientError(answer),
        hasData,
        provisional: provisional && hasData,
      };
    },
    waitMs: (members) => parts.allowance.waitMs(payersOf(parts, members)),
    sent: (count) => parts.metrics.messages(count),
    closed,
    log: parts.log,
  });
}

function* payersOf({ payerOf }: FanOutParts, members: ReadonlySet<Member>): Generator<Payer> {
  for (const { peer } of members) yield payerOf(peer);
}

/**
 * How far a reading has to see. The token of a member never reaches a reading that others share,
 * and its order to read past the cache reaches no message at all: a message is paid for when its
 * subscription is let in.
 */
const seenOf = ({ seen: { count } }: Caller, newest: boolean): Seen => ({
  count: newest ? NEWEST : count,
  bypassUntilMs: 0,
});

/** What graphql-ws iterates: it never yields, and ends with the member. */
function membership(group: Group, member: Member): AsyncIterableIterator<never> {
  let state: "new" | "started" | "left" = "new";
  const leave = () => {
    if (state !== "left") group.leave(member);
    state = "left";
  };
  return {
    async next() {
      if (state === "new") {
        state = "started";
        group.start(member);
      }
      try {
        await member.over;
      } finally {
        leave();
      }
      return { done: true, value: undefined };
    },
    async return() {
      leave();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The writing side of each socket, made on its first subscription. */
function createSockets(slowMs: number) {
  const sockets = new WeakMap<WelcomedPeer, { readonly number: number; readonly outlet: Outlet }>();
  let count = 0;
  return (peer: WelcomedPeer) => {
    const known = sockets.get(peer);
    if (known) return known;
    const made = { number: ++count, outlet: new Outlet(peer, slowMs) };
    sockets.set(peer, made);
    return made;
  };
}
