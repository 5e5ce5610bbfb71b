/**
 * What the event loop says about load: whether work queues in front of it, and how much it gets
 * done.
 *
 * A queue stands where every sample of a second was late (the criterion of CoDel, RFC 8289); a
 * single late one is a pause. Where the loop has no idle time, what it completes is its capacity,
 * and Little's law gives how much may be under way for a wait that is still useful.
 */
import { performance } from "node:perf_hooks";
import { SECOND } from "../domain/time/time.js";

/** How late the event loop is, and what it can hold. */
export interface EventLoop {
  /** Whether it has been late for a second. */
  isLate(): boolean;
  /** Whether it has been late for a second by four times as much. */
  isVeryLate(): boolean;
  /** How much may be under way now; infinite while the loop has idle time. */
  capacity(): number;
  /** Something that was under way has ended. */
  completed(): void;
  close(): void;
}

/** How often the event loop is looked at. */
const SAMPLE_MS = 50;
/** Lateness that lasts this long is a queue, not a pause. */
const STANDING_MS = SECOND;
const VERY_LATE = 4;
/** Completed work is counted over this time. */
const WINDOW_MS = SECOND / 2;
/** Capacity is the best of so many windows: ten seconds. */
const WINDOWS = 20;
/** A loop that is busier has no idle time to speak of. */
const SATURATED = 0.9;
/** So much may be under way however slow the process is. */
const MIN_CAPACITY = 16;

/** What counts as overload, in ms. */
export interface EventLoopLimits {
  /** Lateness of a timer that is a queue when it lasts for a second. */
  readonly lagMs: number;
  /** How long a request may wait in a saturated process. */
  readonly waitMs: number;
}

/** Samples the event loop of this process. */
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

/** Judges samples of lateness, in ms: which of them stand for a queue. */
export function createLateness(lagMs: number) {
  /** Since when every sample was that late; null while one was not. */
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

/** One look at the process. */
export interface CapacitySample {
  /** Share of the time in which the loop was busy, 0 to 1. */
  readonly busy: number;
  /** What was completed. */
  readonly done: number;
  readonly elapsedMs: number;
}

/**
 * Judges how much a process may have under way. A process with idle time waits for others, and more
 * under way costs it little. The best of the last {@link WINDOWS} rates counts (the filter of BBR):
 * refusing takes time too, so the latest rate alone would lower the limit, and the lower limit the
 * rate.
 */
export function createCapacity(waitMs: number) {
  let rates: number[] = [];
  let held = Number.POSITIVE_INFINITY;
  return {
    sample({ busy, done, elapsedMs }: CapacitySample): void {
      rates = [done / elapsedMs, ...rates.slice(0, WINDOWS - 1)];
      held =
        busy < SATURATED
          ? Number.POSITIVE_INFINITY
          : Math.max(MIN_CAPACITY, Math.max(...rates) * waitMs);
    },
    holds: () => held,
  };
}
