/**
 * How an operator sees a shop being filled: a bar on a
 * terminal, and two lines of the log.
 *
 * The filler is a process of its own. It prints its progress
 * as lines, which {@link readProgress} reads.
 */
import type { Logger } from "pino";
import { DEFAULT_SEED } from "../db/seed/seed.js";
import { SECOND } from "../domain/time/time.js";
import { createProgress, grouped, type ProgressStream } from "../telemetry/progress.js";

/** What is called while a shop is filled. */
export interface Filling {
  /** Before the first row. */
  onFill(): void;
  /** @param done rows written so far, of `all` */
  onProgress(done: number, all: number): void;
  onFilled(): void;
}

/** Shows it on `stream` where that is a terminal, and in `log`. */
export function showFilling(
  log: Pick<Logger, "info">,
  stream: ProgressStream = process.stderr,
): Filling {
  const bar = stream.isTTY ? createProgress(stream) : null;
  let startedAt = 0;
  let rows = 0;
  return {
    onFill() {
      startedAt = performance.now();
      const { products } = DEFAULT_SEED;
      log.info({ products }, "first start: filling the shop, this takes some seconds");
    },
    onProgress(done, all) {
      rows = done;
      bar?.show(done / all, `${grouped(done)} rows`);
    },
    onFilled() {
      bar?.end();
      const seconds = Math.round(((performance.now() - startedAt) / SECOND) * 10) / 10;
      log.info({ rows, seconds }, "the shop is filled");
    },
  };
}

const PROGRESS_LINE = /^rows (\d+) of (\d+)$/;

/** Prints progress for {@link readProgress}. */
export const printProgress = (done: number, all: number): void =>
  void process.stdout.write(`rows ${done} of ${all}\n`);

/** Hands the progress that a line holds to `filling`. */
export function readProgress(line: string, { onProgress }: Filling): void {
  const [, done, all] = PROGRESS_LINE.exec(line) ?? [];
  if (done !== undefined) onProgress(Number(done), Number(all));
}
