/** State of a worker's jobs, for its probes, its metrics and its beat. */
import { MINUTE, SECOND } from "../time/time.js";

/**
 * One job of one process. Durations are measured without the
 * wall clock.
 */
export interface JobState {
  readonly job: string;
  /** Failed runs in a row. */
  readonly failures: number;
  /** Failed runs since the start. */
  readonly failuresTotal: number;
  /**
   * Since the last run that succeeded, or since the start
   * where none has.
   */
  readonly sinceSuccessMs: number;
  /**
   * Since the first of the failures in a row; null where the
   * last run succeeded.
   */
  readonly failingMs: number | null;
  /** Since the run under way began; null between runs. */
  readonly runningMs: number | null;
}

/**
 * Fewer failures in a row are transient: a restart of a
 * server makes one or two.
 */
export const FAILING_FROM = 3;
/** Every run does a bounded piece of work, so a longer one hangs. */
const STALLED_MS = 5 * MINUTE;

/**
 * What is wrong with a job, in words for an operator; null
 * when nothing is.
 */
export function troubleOf({ job, failures, failingMs, runningMs }: JobState): string | null {
  if (failures >= FAILING_FROM) return `${job}: failing for ${seconds(failingMs ?? 0)}`;
  if (runningMs !== null && runningMs > STALLED_MS)
    return `${job}: has not ended for ${seconds(runningMs)}`;
  return null;
}

/** A duration in words. */
export const seconds = (ms: number): string => `${Math.round(ms / SECOND)} s`;
