/**
 * The clock of Redis, shared by all processes
 * (redis/client/clock.ts). Local clocks decide nothing and
 * are not shown.
 */
export interface Clock {
  /** Ms since epoch. */
  nowMs(): number;
}
