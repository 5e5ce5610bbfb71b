/**
 * The clock that all processes share: that of Redis (redis/client/clock.ts). Nothing is judged or
 * shown by a process's own.
 */
export interface Clock {
  /** Ms since epoch. */
  nowMs(): number;
}
