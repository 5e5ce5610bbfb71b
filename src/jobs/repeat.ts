/** Does something over and over: the next run begins that long after the last one ended, and a run that fails is tried again then. */
import type { Logger } from "pino";

/** What is repeated. */
export interface RepeatOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
  readonly log: Logger;
  /** Whether it runs once more when it is closed. Default false. */
  readonly atEnd?: boolean;
}

/** Starts it. `close()` resolves when the run under way has ended, and the last one where there is one. */
export function startRepeating({ name, everyMs, work, log, atEnd = false }: RepeatOptions): { close(): Promise<void> } {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<unknown> = Promise.resolve();
  const run = (): Promise<void> =>
    work().then(
      () => {},
      (error: Error) => log.debug({ err: error.message }, `${name} is tried again`),
    );
  const next = (): void => {
    if (!closed) timer = setTimeout(() => (working = run().then(next)), everyMs);
  };
  next();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await working;
      if (atEnd) await run();
    },
  };
}
