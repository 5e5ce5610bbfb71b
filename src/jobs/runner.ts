/**
 * Runs jobs: each over and over, one run at a time, until
 * closed.
 *
 * The next run begins `everyMs` after the last ended, or when
 * NOTIFY wakes the job. After {@link MORE} it begins at once.
 * Polling covers lost notifications. A failed run is retried
 * after `everyMs`, at most a minute. {@link JobHealth} records
 * every run; no failure ends the job or the process.
 */
import type { Database, Listening } from "../db/client/database.js";
import { MINUTE } from "../domain/time/time.js";
import type { JobHealth } from "./health.js";

/** A job that was started. */
export interface Job {
  /**
   * Resolves when the present run has ended, and the last one if
   * any.
   */
  close(): Promise<void>;
}

/** One job. */
export interface JobOptions {
  /** Unique in the process: the label of logs, metrics and probes. */
  readonly name: string;
  /**
   * Works until `stopping()`. Resolves to {@link MORE} where work
   * is left. May reject.
   */
  readonly work: (stopping: () => boolean) => Promise<unknown>;
  readonly everyMs: number;
  /** Delay of the first run; default `everyMs`. */
  readonly firstMs?: number;
  /** Whether closing runs it once more. Default false. */
  readonly atEnd?: boolean;
  /**
   * A channel whose notifications wake the job, and the delay of
   * the run after one.
   */
  readonly wake?: { readonly channel: string; readonly delayMs: number };
}

/**
 * Answer of a run that left work. Ending between two pieces
 * shows progress.
 */
export const MORE = Symbol("more");

/** Longest pause after a failed run. */
const MAX_RETRY_MS = MINUTE;

export interface RunnerDeps {
  readonly database: Pick<Database, "listen">;
  readonly health: JobHealth;
}

/** Starts a job. Rejects when its channel cannot be listened to. */
export async function startJob(
  { database, health }: RunnerDeps,
  options: JobOptions,
): Promise<Job> {
  const { name, everyMs, firstMs = everyMs, wake } = options;
  const running = new RunningJob(options, health.of(name));
  const listening = wake
    ? await database.listen(wake.channel, () => running.wakeIn(wake.delayMs))
    : null;
  running.wakeIn(firstMs);
  return { close: () => running.close(listening) };
}

class RunningJob {
  private closed = false;
  private timer: NodeJS.Timeout | undefined;
  private dueAt = Number.POSITIVE_INFINITY;
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: JobOptions,
    private readonly report: ReturnType<JobHealth["of"]>,
  ) {}

  /** The earlier run counts, where one is due already. */
  wakeIn(waitMs: number): void {
    const at = performance.now() + waitMs;
    if (this.closed || at >= this.dueAt) return;
    this.dueAt = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.dueAt = Number.POSITIVE_INFINITY;
      this.working = this.working.then(() => this.run()).then((nextMs) => this.wakeIn(nextMs));
    }, waitMs);
  }
  async close(listening: Listening | null): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await listening?.close();
    await this.working;
    if (this.options.atEnd) await this.run();
  }
  /** Never rejects. Resolves to when the next run is due. */
  private async run(): Promise<number> {
    const { work, everyMs } = this.options;
    this.report.began();
    try {
      const left = await work(() => this.closed);
      this.report.succeeded();
      return left === MORE ? 0 : everyMs;
    } catch (error) {
      this.report.failed(error);
      return Math.min(everyMs, MAX_RETRY_MS);
    }
  }
}
