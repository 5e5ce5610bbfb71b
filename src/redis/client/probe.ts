/**
 * Asks a silent Redis by PING, in the background, until it
 * answers.
 *
 * One probe per connection, shared by every breaker on it. A
 * connection that stays silent is opened anew: a black hole
 * and a hanging primary give no error.
 */
import { ReplyError } from "ioredis";
import { SECOND } from "../../domain/time/time.js";
import { type RedisConnection, reopen } from "./connect.js";
import { type CallTelemetry, createDirectCaller } from "./direct-call.js";

/**
 * Gets how long a PING took. Returns whether that is good
 * enough; else it is asked again.
 */
export type OnAnswer = (durationMs: number) => boolean;

export interface Probe {
  /** Sends a PING now, and again until `onAnswer` returns true. */
  ask(onAnswer: OnAnswer): void;
  close(): void;
}

const PROBE_MS = 250;
/** A slower PING counts as silence. */
const PROBE_DEADLINE_MS = 500;
/** A connection that is silent this long is opened anew. */
const SILENCE_MS = 2 * SECOND;

export function createProbe(connection: RedisConnection, telemetry: CallTelemetry): Probe {
  const direct = createDirectCaller(telemetry, "probe");
  const waiting = new Set<OnAnswer>();
  let timer: NodeJS.Timeout | undefined;
  let isAsking = false;
  let silentSinceMs: number | null = null;

  const answered = (durationMs: number): void => {
    silentSinceMs = null;
    for (const onAnswer of waiting) if (onAnswer(durationMs)) waiting.delete(onAnswer);
  };
  /**
   * A refusal (loading, a replica) is no answer yet, but no
   * silence either.
   */
  const failed = (cause: unknown, sentAtMs: number): void => {
    silentSinceMs = cause instanceof ReplyError ? null : (silentSinceMs ?? sentAtMs);
    if (silentSinceMs === null || performance.now() - silentSinceMs < SILENCE_MS) return;
    silentSinceMs = null;
    reopen(connection);
  };
  const ping = async (): Promise<void> => {
    isAsking = true;
    const sentAtMs = performance.now();
    await direct
      .sendWithin(PROBE_DEADLINE_MS, "ping", () => connection.ping())
      .then(
        () => answered(performance.now() - sentAtMs),
        ({ cause }: Error) => waiting.size > 0 && failed(cause, sentAtMs),
      );
    isAsking = false;
    if (waiting.size > 0) timer = setTimeout(ping, PROBE_MS).unref();
  };

  return {
    ask(onAnswer) {
      if (waiting.size === 0) silentSinceMs = null;
      waiting.add(onAnswer);
      if (isAsking || waiting.size > 1) return;
      clearTimeout(timer);
      void ping();
    },
    close() {
      waiting.clear();
      clearTimeout(timer);
    },
  };
}
