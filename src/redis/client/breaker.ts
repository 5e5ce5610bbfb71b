/**
 * A circuit breaker in front of Redis: after one failure Redis is left alone until it answers a
 * probe in the background, so a request waits for a lost server at most once. Each use of what is
 * done instead is reported.
 */
import { ReplyError } from "ioredis";
import { RedisUnavailable } from "../../domain/errors.js";
import type { ReportState } from "../../domain/telemetry/degradations.js";
import { SECOND } from "../../domain/time/time.js";
import { type RedisConnection, reopen } from "./connect.js";
import { withinDeadline } from "./deadline.js";

/** Whether Redis is asked. */
export interface Breaker {
  /** False while Redis is left alone; the use of the fallback is then reported. */
  isClosed(): boolean;
  /** Notes a failed use. */
  trip(error: unknown): void;
  close(): void;
}

/** What a breaker takes. */
export interface BreakerDeps {
  readonly connection: RedisConnection;
  readonly report: ReportState;
}

/** What is done instead, in words for an operator, and the longest wait for a probe. */
export interface BreakerOptions {
  readonly instead: string;
  readonly deadlineMs: number;
}

const PROBE_MS = 250;
/**
 * A connection that is silent this long is opened anew: a black hole and a hanging primary give no
 * error.
 */
const SILENCE_MS = 2 * SECOND;
/**
 * A server that answers probes may refuse the next use: the part is well after this long without a
 * failure.
 */
const CALM_MS = SECOND;

export function createBreaker(
  { connection, report }: BreakerDeps,
  { instead, deadlineMs }: BreakerOptions,
): Breaker {
  let reason: string | null = null;
  let probe: NodeJS.Timeout | undefined;
  let calm: NodeJS.Timeout | undefined;
  let silentSinceMs: number | null = null;
  let isClosing = false;

  const schedule = (): void => {
    if (!isClosing) probe = setTimeout(ask, PROBE_MS).unref();
  };
  const answered = (): void => {
    reason = silentSinceMs = null;
    if (!isClosing) calm = setTimeout(() => report(null), CALM_MS).unref();
  };
  const failed = ({ cause }: Error): void => {
    if (isClosing) return;
    const nowMs = performance.now();
    silentSinceMs = cause instanceof ReplyError ? null : (silentSinceMs ?? nowMs);
    if (silentSinceMs !== null && nowMs - silentSinceMs >= SILENCE_MS) {
      silentSinceMs = null;
      reopen(connection);
    }
    schedule();
  };
  const ask = (): void => void withinDeadline(connection.ping(), deadlineMs).then(answered, failed);
  const open = (why: string): void => {
    const isOpen = reason !== null;
    reason = `${why}; ${instead}`;
    clearTimeout(calm);
    report(reason);
    if (!isOpen) schedule();
  };

  return {
    isClosed() {
      if (reason !== null) report(reason);
      else if (connection.status !== "ready") open("Redis is not connected");
      return reason === null;
    },
    trip: (error) => open(whyOf(error)),
    close() {
      isClosing = true;
      clearTimeout(probe);
      clearTimeout(calm);
    },
  };
}

/** The class of a refusal alone: the text of Redis may name keys. */
function whyOf(error: unknown): string {
  const cause = error instanceof RedisUnavailable ? error.cause : error;
  return cause instanceof ReplyError
    ? `Redis refuses it (${(cause as Error).message.split(" ", 1)[0]})`
    : "Redis does not answer";
}
