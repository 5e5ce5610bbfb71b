/**
 * The clock of Redis as this process knows it: the one clock by which instants are judged and shown.
 *
 * Read by TIME when it is opened and every {@link READ_EVERY_MS}; replies of scripts that carry a time correct it
 * in between. The process's monotonic clock drives it, so a wall clock that is wrong or jumps changes nothing.
 * It may be late by the travel of a reply: a script that decides by time reads TIME itself and refuses the rest.
 * Redis down: the clock runs on.
 */
import type { Clock } from "../domain/clock.js";
import { SECOND } from "../domain/time.js";
import type { RedisConnection } from "./client.js";
import { withinDeadline } from "./deadline.js";

/** The clock of Redis. */
export interface RedisClock extends Clock {
  /** Corrects the clock by a time that a reply carried, in ms since epoch. */
  hear(nowMs: number): void;
  close(): void;
}

/** Clocks of machines drift by some ms a minute. */
const READ_EVERY_MS = 10 * SECOND;
const DEADLINE_MS = SECOND;

/** Reads the clock once, then keeps it. One TIME. Rejects with RedisUnavailable when the first reading fails. */
export async function openRedisClock(connection: RedisConnection): Promise<RedisClock> {
  let aheadMs = 0;
  const hear = (nowMs: number): void => {
    aheadMs = nowMs - performance.now();
  };
  const read = async (): Promise<void> => {
    const [seconds, micros] = await withinDeadline(connection.time(), DEADLINE_MS);
    hear(Number(seconds) * SECOND + Math.floor(Number(micros) / 1_000));
  };
  await read();
  const timer = setInterval(() => void read().catch(() => {}), READ_EVERY_MS).unref();
  return { nowMs: () => Math.floor(performance.now() + aheadMs), hear, close: () => clearInterval(timer) };
}
