/**
 * The clock of Redis as this process knows it: the one clock by which instants are judged and
 * shown.
 *
 * Read by TIME when it is opened and every {@link READ_EVERY_MS}; replies of scripts that carry a
 * time correct it in between. The process's monotonic clock drives it, so a wall clock that is
 * wrong or jumps changes nothing. It may be late by the travel of a reply: a script that decides by
 * time reads TIME itself and refuses the rest. Redis down: the clock runs on, or starts from
 * another shared clock, until Redis answers.
 */
import type { Clock } from "../../domain/time/clock.js";
import { SECOND } from "../../domain/time/time.js";
import type { RedisConnection } from "./connect.js";
import { withinDeadline } from "./deadline.js";

/** The clock of Redis. */
export interface RedisClock extends Clock {
  /** Corrects the clock by a time that a reply carried, in ms since epoch. */
  hear(nowMs: number): void;
  close(): void;
}

/** Clocks of machines drift by some ms a minute. */
const READ_EVERY_MS = 10 * SECOND;
/** After a reading that failed. */
const READ_AGAIN_MS = SECOND;
const DEADLINE_MS = SECOND;

/**
 * Reads the clock once, then keeps it. One TIME.
 * @param instead reads another shared clock; asked once, where the first reading of Redis fails
 */
export async function openRedisClock(
  connection: RedisConnection,
  instead: () => Promise<number>,
): Promise<RedisClock> {
  let aheadMs = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const hear = (nowMs: number): void => {
    aheadMs = nowMs - performance.now();
  };
  /** Resolves to when the next reading is due. */
  const read = async (): Promise<number> => {
    const time = await withinDeadline(connection.time(), DEADLINE_MS).catch(() => null);
    if (time) hear(Number(time[0]) * SECOND + Math.floor(Number(time[1]) / 1_000));
    return time ? READ_EVERY_MS : READ_AGAIN_MS;
  };
  const readIn = (waitMs: number): void => {
    if (!isClosed) timer = setTimeout(() => void read().then(readIn), waitMs).unref();
  };
  const dueMs = await read();
  if (dueMs === READ_AGAIN_MS) hear(await instead());
  readIn(dueMs);
  return {
    nowMs: () => Math.floor(performance.now() + aheadMs),
    hear,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
