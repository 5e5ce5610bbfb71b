/**
 * Calls of structures to Redis: deadline, breaker, duration
 * and errors in one place.
 *
 * A late reply opens the breaker of its structure. Waiting
 * calls fail, and later ones are refused at once. A PING in
 * the background closes it. On a Cluster it concerns one
 * node, so it opens nothing. A refusal by Redis is an answer
 * and opens nothing. A write without a reply is unknown,
 * never "no": see `mayBeDone` of the error.
 */
import { Cluster } from "ioredis";
import { RedisUnavailable } from "../../domain/errors.js";
import type { Degradations } from "../../domain/telemetry/degradations.js";
import { silentTelemetry } from "../../domain/telemetry/telemetry.js";
import { type Breaker, createBreaker } from "./breaker.js";
import { inOneTurn, type RedisConnection, whenReady } from "./connect.js";
import { type CallTelemetry, createDirectCaller, mayBeDone } from "./direct-call.js";
import { createProbe } from "./probe.js";
import { LateReply, OtherReplyLate, PendingReplies } from "./replies.js";

/** The calls of one structure, and its breaker. */
export interface RedisCaller extends Breaker {
  readonly connection: RedisConnection;
  /**
   * Runs one call. Calls of one turn of the event loop leave
   * in one write. Rejects with RedisUnavailable: at once while
   * the breaker is open, else within the deadline.
   * @param action names the call in metrics, after the
   * structure
   */
  call<T>(action: string, send: () => Promise<T>): Promise<T>;
}

export interface CallerOptions {
  /** Longest wait for a reply. */
  readonly deadlineMs: number;
  /**
   * What is reported while Redis is left alone; nothing when
   * absent.
   */
  readonly degraded?: {
    readonly part: string;
    /** What happens without Redis, in words for an operator. */
    readonly instead: string;
  };
}

/**
 * Without telemetry and degradations nothing is reported, as
 * suits a command or a test.
 */
export interface CallersDeps {
  readonly connection: RedisConnection;
  readonly telemetry?: CallTelemetry;
  readonly degradations?: Pick<Degradations, "of">;
}

/** Makes the callers of all structures on one connection. */
export interface RedisCallers {
  readonly connection: RedisConnection;
  of(structure: string, options: CallerOptions): RedisCaller;
  /**
   * A breaker for uses that have a fallback. It is apart from
   * those of callers. A refusal of one key trips it, too; other
   * calls are still sent.
   */
  breaker(options: CallerOptions): Breaker;
  /** Ends probes and reports. The connection stays open. */
  close(): void;
}

export function createCallers({
  connection,
  telemetry = silentTelemetry,
  degradations,
}: CallersDeps): RedisCallers {
  const probe = createProbe(connection, telemetry);
  const breakers: Breaker[] = [];
  const breakerOf = ({ deadlineMs, degraded }: CallerOptions): Breaker => {
    const report = (degraded && degradations?.of(degraded.part)) ?? (() => {});
    const instead = degraded?.instead ?? "";
    const breaker = createBreaker({ connection, probe, report }, { instead, deadlineMs });
    breakers.push(breaker);
    return breaker;
  };
  return {
    connection,
    breaker: breakerOf,
    of(structure, options) {
      const breaker = breakerOf(options);
      const { deadlineMs } = options;
      return createCaller({ connection, breaker, telemetry }, { structure, deadlineMs });
    },
    close() {
      probe.close();
      for (const breaker of breakers) breaker.close();
    },
  };
}

interface CallerDeps extends Required<Pick<CallersDeps, "connection" | "telemetry">> {
  readonly breaker: Breaker;
}

function createCaller(
  { connection, breaker, telemetry }: CallerDeps,
  { structure, deadlineMs }: { readonly structure: string; readonly deadlineMs: number },
): RedisCaller {
  const replies = new PendingReplies(deadlineMs);
  const direct = createDirectCaller(telemetry, structure);
  // A late node of a Cluster says nothing of the others.
  const isOneServer = !(connection instanceof Cluster);
  const fail = (cause: unknown): never => {
    const error = new RedisUnavailable(cause, mayBeDone(cause));
    if (isOneServer && isLate(cause)) breaker.trip(error);
    if (isOneServer && cause instanceof LateReply) replies.giveUp();
    throw error;
  };
  return {
    ...breaker,
    connection,
    call(action, send) {
      if (breaker.isOpen()) return Promise.reject(new RedisUnavailable(new BreakerOpen()));
      return direct.send(action, () => replies.wait(inOneTurn(connection, send))).catch(fail);
    },
  };
}

/** A call that was not sent, because the breaker is open. */
class BreakerOpen extends Error {
  override readonly message = "Redis was late and is left alone until it answers";
}

/**
 * Our deadline passed, or that of ioredis
 * (`commandTimeout`).
 */
const isLate = (cause: unknown): boolean =>
  cause instanceof LateReply || (cause instanceof Error && cause.message === "Command timed out");

/**
 * Whether a call failed because of an earlier one: it was
 * not sent, or another reply was late.
 */
export const failedByAnother = (error: unknown): boolean => {
  const cause = error instanceof RedisUnavailable ? error.cause : error;
  return cause instanceof BreakerOpen || cause instanceof OtherReplyLate;
};

/**
 * Sends what can be repeated once more where it failed.
 * Waits up to `againMs` for a connection and for the breaker
 * to close. Not where the breaker was open from the start.
 */
export async function callRepeatable<T>(
  caller: RedisCaller,
  action: string,
  { send, againMs }: { readonly send: () => Promise<T>; readonly againMs: number },
): Promise<T> {
  try {
    return await caller.call(action, send);
  } catch (error) {
    const first = error as RedisUnavailable;
    if (first.cause instanceof BreakerOpen) throw first;
    await Promise.all([
      whenReady(caller.connection, againMs).catch(() => {}),
      caller.whenClosed(againMs),
    ]);
    return await caller.call(action, send).catch(({ cause, mayBeDone }: RedisUnavailable) => {
      throw new RedisUnavailable(cause, first.mayBeDone || mayBeDone);
    });
  }
}
