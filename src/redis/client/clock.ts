/**
 * The clock of Redis, by which instants are judged and
 * shown.
 *
 * Read by TIME at the start and every {@link READ_EVERY_MS};
 * times in replies of scripts correct it in between. The
 * monotonic clock drives it, so a wrong wall clock changes
 * nothing. It may be late by the travel of a reply: a script
 * that decides by time reads TIME itself. Redis down: it
 * runs on, or starts from another shared clock.
 */
import type { Clock } from "../../domain/time/clock.js";
import { SECOND } from "../../domain/time/time.js";
import type { RedisConnection } from "./connect.js";
import { type CallTelemetry, createDirectCaller } from "./direct-call.js";

/** A clock that is corrected by what Redis says. */
export interface DrivenClock extends Clock {
  /**
   * Corrects the clock by a time that a reply carried, in ms
   * since epoch.
   */
  observe(nowMs: number): void;
}

export interface RedisClock extends DrivenClock {
  close(): void;
}

/** Clocks of machines drift by some ms a minute. */
const READ_EVERY_MS = 10 * SECOND;
/** After a reading that failed. */
const READ_AGAIN_MS = SECOND;
const CLOCK_DEADLINE_MS = SECOND;

/** Asks Redis for the time, in ms since epoch. One TIME. */
export async function readTimeMs(connection: RedisConnection): Promise<number> {
  const [seconds, micros] = await connection.time();
  return Number(seconds) * SECOND + Math.floor(Number(micros) / 1_000);
}

/**
 * A clock that the monotonic clock of this process drives.
 * It starts at zero.
 */
export function createDrivenClock(): DrivenClock {
  let aheadMs = -performance.now();
  return {
    nowMs: () => Math.floor(performance.now() + aheadMs),
    observe(nowMs) {
      aheadMs = nowMs - performance.now();
    },
  };
}

export interface ClockDeps {
  readonly connection: RedisConnection;
  readonly telemetry: CallTelemetry;
  /**
   * Reads another shared clock; asked once, where the first
   * reading of Redis fails.
   */
  readonly instead: () => Promise<number>;
}

/** Reads the clock once, then keeps it. One TIME. */
export async function openRedisClock({
  connection,
  telemetry,
  instead,
}: ClockDeps): Promise<RedisClock> {
  const clock = createDrivenClock();
  const direct = createDirectCaller(telemetry, "clock");
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  /** Resolves to when the next reading is due. */
  const read = async (): Promise<number> => {
    const timeMs = await direct
      .sendWithin(CLOCK_DEADLINE_MS, "read", () => readTimeMs(connection))
      .catch(() => null);
    if (timeMs !== null) clock.observe(timeMs);
    return timeMs !== null ? READ_EVERY_MS : READ_AGAIN_MS;
  };
  const readIn = (waitMs: number): void => {
    if (!isClosed) timer = setTimeout(() => void read().then(readIn), waitMs).unref();
  };
  const dueMs = await read();
  if (dueMs === READ_AGAIN_MS) clock.observe(await instead());
  readIn(dueMs);
  return {
    ...clock,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
