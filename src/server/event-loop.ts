/**
 * Load of the event loop: does work queue, and how much gets
 * done?
 *
 * Work queues when every sample of a second is late (the
 * criterion of CoDel, RFC 8289). A single late sample is a pause.
 * A loop without idle time works at its capacity. Little's law
 * then gives how much may be in flight.
 */
import { performance } from "node:perf_hooks";
import { SECOND } from "../domain/time/time.js";

export interface EventLoop {
  /** Late for a second. */
  isLate(): boolean;
  /** Late for a second, by four times as much. */
  isVeryLate(): boolean;
  /**
   * How much may be in flight; infinite while the loop has idle
   * time.
   */
  capacity(): number;
  /** Counts one completed piece of work. */
  completed(): void;
  close(): void;
}

const SAMPLE_MS = 50;
/** Lateness of this duration is a queue, not a pause. */
const STANDING_MS = SECOND;
const VERY_LATE = 4;
const WINDOW_MS = SECOND / 2;
/** Capacity is the best of so many windows: ten seconds. */
const WINDOWS = 20;
/** A busier loop has no idle time worth counting. */
const SATURATED = 0.9;
/** The floor, however slow the process is. */
const MIN_CAPACITY = 16;

/** Bounds of overload, in ms. */
export interface EventLoopLimits {
  /** Lateness of a timer that counts as a queue if it lasts. */
  readonly lagMs: number;
  /** Longest useful wait in a saturated process. */
  readonly waitMs: number;
}

export function watchEventLoop({ lagMs, waitMs }: EventLoopLimits): EventLoop {
  const [lateness, capacity] = [createLateness(lagMs), createCapacity(waitMs)];
  let sampledAt = performance.now();
  let windowAt = sampledAt;
  let utilization = performance.eventLoopUtilization();
  let done = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    lateness.sample(nowMs, nowMs - sampledAt - SAMPLE_MS);
    sampledAt = nowMs;
    if (nowMs - windowAt < WINDOW_MS) return;
    const present = performance.eventLoopUtilization();
    capacity.sample({
      busy: performance.eventLoopUtilization(present, utilization).utilization,
      done,
      elapsedMs: nowMs - windowAt,
    });
    [utilization, windowAt, done] = [present, nowMs, 0];
  }, SAMPLE_MS).unref();
  return {
    ...lateness,
    capacity: capacity.holds,
    completed() {
      done += 1;
    },
    close: () => clearInterval(timer),
  };
}

/** Judges samples of lateness, in ms. */
export function createLateness(lagMs: number) {
  /** Start of the unbroken run of late samples; null without one. */
  const since: Record<"late" | "veryLate", number | null> = { late: null, veryLate: null };
  let latest = 0;
  const lasts = (start: number | null): boolean => start !== null && latest - start >= STANDING_MS;
  return {
    sample(nowMs: number, lateMs: number): void {
      latest = nowMs;
      since.late = lateMs > lagMs ? (since.late ?? nowMs) : null;
      since.veryLate = lateMs > VERY_LATE * lagMs ? (since.veryLate ?? nowMs) : null;
    },
    isLate: () => lasts(since.late),
    isVeryLate: () => lasts(since.veryLate),
  };
}

export interface CapacitySample {
  /** Busy share of the time, 0 to 1. */
  readonly busy: number;
  /** Completed pieces of work. */
  readonly done: number;
  readonly elapsedMs: number;
}

/**
 * Judges how much a process may have in flight.
 *
 * A process with idle time has no limit: it waits for others.
 * Otherwise the best of the last {@link WINDOWS} rates counts
 * (the filter of BBR). The latest rate alone would spiral down,
 * because rejecting takes time too.
 */
export function createCapacity(waitMs: number) {
  let rates: number[] = [];
  // A start keeps the loop busy, and says nothing of requests.
  let hasCompleted = false;
  let held = Number.POSITIVE_INFINITY;
  return {
    sample({ busy, done, elapsedMs }: CapacitySample): void {
      rates = [done / elapsedMs, ...rates.slice(0, WINDOWS - 1)];
      hasCompleted ||= done > 0;
      held =
        busy < SATURATED || !hasCompleted
          ? Number.POSITIVE_INFINITY
          : Math.max(MIN_CAPACITY, Math.max(...rates) * waitMs);
    },
    holds: () => held,
  };
}
