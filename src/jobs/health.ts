/**
 * The health of this process's jobs: last success, and failures
 * in a row. Repeated failures are logged as a warning, then as
 * errors from time to time. Recovery is logged too.
 */
import type { Logger } from "pino";
import { FAILING_FROM, type JobState } from "../domain/telemetry/job.js";

/** Records the runs of one job. */
export interface JobReport {
  began(): void;
  succeeded(): void;
  failed(error: unknown): void;
}

/** The jobs of one process. */
export interface JobHealth {
  /** The recorder of a job; one for each name. */
  of(job: string): JobReport;
  states(): JobState[];
}

/** Failures in a row that make an error. */
const ERROR_FROM = 10;
/** Later failures are logged once in so many. */
const ERROR_EVERY = 100;

/** @param nowMs a clock that only goes forward */
export function createJobHealth(
  log: Logger,
  nowMs: () => number = () => performance.now(),
): JobHealth {
  const jobs = new Map<string, TrackedJob>();
  return {
    of(job) {
      const tracked = new TrackedJob(job, log, nowMs);
      jobs.set(job, tracked);
      return tracked;
    },
    states: () => [...jobs.values()].map((job) => job.state()),
  };
}

class TrackedJob implements JobReport {
  private failures = 0;
  private failuresTotal = 0;
  private successAt: number;
  private failingAt: number | null = null;
  private beganAt: number | null = null;

  constructor(
    private readonly job: string,
    private readonly log: Logger,
    private readonly nowMs: () => number,
  ) {
    this.successAt = nowMs();
  }

  began(): void {
    this.beganAt = this.nowMs();
  }
  succeeded(): void {
    if (this.failures >= FAILING_FROM)
      this.log.info({ job: this.job, failures: this.failures }, "a job works again");
    [this.failures, this.failingAt, this.beganAt] = [0, null, null];
    this.successAt = this.nowMs();
  }
  failed(error: unknown): void {
    this.failures += 1;
    this.failuresTotal += 1;
    this.failingAt ??= this.nowMs();
    this.beganAt = null;
    const err =
      error instanceof Error
        ? { type: error.name, message: error.message, cause: causeOf(error) }
        : String(error);
    this.log[levelOf(this.failures)](
      { err, job: this.job, failures: this.failures },
      wordsFor(this.failures),
    );
  }
  state(): JobState {
    const { job, failures, failuresTotal } = this;
    const since = (at: number | null): number | null => (at === null ? null : this.nowMs() - at);
    const times = { failingMs: since(this.failingAt), runningMs: since(this.beganAt) };
    return {
      job,
      failures,
      failuresTotal,
      sinceSuccessMs: this.nowMs() - this.successAt,
      ...times,
    };
  }
}

/**
 * The message for clients hides the reason; an operator needs
 * it.
 */
const causeOf = ({ cause }: Error): string | undefined =>
  cause instanceof Error ? cause.message : undefined;

function levelOf(failures: number): "debug" | "warn" | "error" {
  if (failures === FAILING_FROM) return "warn";
  return failures === ERROR_FROM || (failures > ERROR_FROM && failures % ERROR_EVERY === 0)
    ? "error"
    : "debug";
}

const wordsFor = (failures: number): string =>
  failures < FAILING_FROM
    ? "a run of a job failed and is tried again"
    : "a job fails again and again";
