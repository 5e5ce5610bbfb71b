/**
 * A circuit breaker. After one failure Redis is left alone
 * until it answers a PING in the background: a request waits
 * for a lost server at most once. Each call without Redis
 * meanwhile is reported.
 */
import { ReplyError } from "ioredis";
import { RedisUnavailable } from "../../domain/errors.js";
import type { ReportState } from "../../domain/telemetry/degradations.js";
import { SECOND } from "../../domain/time/time.js";
import type { RedisConnection } from "./connect.js";
import type { Probe } from "./probe.js";

export interface Breaker {
  /**
   * False while Redis is left alone; the use of the fallback
   * is then reported.
   */
  isClosed(): boolean;
  /**
   * True while Redis is left alone after a failure, which is
   * reported. A lost link is none.
   */
  isOpen(): boolean;
  /** Opens it after a failed use. Each error counts once. */
  trip(error: unknown): void;
  /**
   * Resolves once it is closed, at the latest after
   * `timeoutMs`.
   */
  whenClosed(timeoutMs: number): Promise<void>;
  /** Reports nothing from now on. */
  close(): void;
}

export interface BreakerDeps {
  readonly connection: Pick<RedisConnection, "status">;
  readonly probe: Probe;
  readonly report: ReportState;
}

export interface BreakerOptions {
  /** What happens without Redis, in words for an operator. */
  readonly instead: string;
  /** A PING that takes longer keeps the breaker open. */
  readonly deadlineMs: number;
}

/**
 * Redis may answer a PING and refuse the next use; a part is
 * well after this long without a failure.
 */
const CALM_MS = SECOND;

export function createBreaker(
  { connection, probe, report }: BreakerDeps,
  { instead, deadlineMs }: BreakerOptions,
): Breaker {
  const counted = new WeakSet<object>();
  const waiting = new Set<() => void>();
  let reason: string | null = null;
  let calm: NodeJS.Timeout | undefined;
  let isEnded = false;

  const answered = (durationMs: number): boolean => {
    if (durationMs > deadlineMs) return false;
    reason = null;
    for (const resume of waiting) resume();
    if (!isEnded) calm = setTimeout(() => report(null), CALM_MS).unref();
    return true;
  };
  const open = (why: string): void => {
    const wasOpen = reason !== null;
    reason = `${why}; ${instead}`;
    clearTimeout(calm);
    if (isEnded) return;
    report(reason);
    if (!wasOpen) probe.ask(answered);
  };

  const isOpen = (): boolean => {
    if (reason !== null && !isEnded) report(reason);
    return reason !== null;
  };

  return {
    isOpen,
    isClosed() {
      if (isOpen()) return false;
      if (connection.status !== "ready") open("Redis is not connected");
      return reason === null;
    },
    trip(error) {
      if (counted.has(Object(error))) return;
      counted.add(Object(error));
      open(whyOf(error));
    },
    async whenClosed(timeoutMs) {
      if (reason !== null) await resumed(waiting, timeoutMs);
    },
    close() {
      isEnded = true;
      clearTimeout(calm);
    },
  };
}

/**
 * Waits until a member of `waiting` is called, at the latest
 * `timeoutMs`.
 */
function resumed(waiting: Set<() => void>, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const resume = () => {
      clearTimeout(timer);
      waiting.delete(resume);
      resolve();
    };
    const timer = setTimeout(resume, timeoutMs);
    waiting.add(resume);
  });
}

/**
 * The class of a refusal alone: the text of Redis may name
 * keys.
 */
function whyOf(error: unknown): string {
  const cause = error instanceof RedisUnavailable ? error.cause : error;
  return cause instanceof ReplyError
    ? `Redis refuses it (${(cause as Error).message.split(" ", 1)[0]})`
    : "Redis does not answer";
}
