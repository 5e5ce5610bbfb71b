/** Work that is woken by NOTIFY and looks by itself now and then, as a net for a notification that was lost. One run at a time. */
import type { Logger } from "pino";
import type { Database } from "../db/database.js";

/** What such work needs. */
export interface WokenParts {
  readonly database: Pick<Database, "listen">;
  /** Channel that wakes it. */
  readonly channel: string;
  /** How long after being woken it begins. */
  readonly delayMs: number;
  /** How often it looks without being woken. */
  readonly pollMs: number;
  /** Does all there is to do, or until `stopping()`. May reject: then it is tried again. */
  readonly work: (stopping: () => boolean) => Promise<void>;
  readonly log: Logger;
}

/** Begins at once. `close()` resolves when the run under way has ended. */
export async function startWoken({ database, channel, delayMs, pollMs, work, log }: WokenParts): Promise<{ close(): Promise<void> }> {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let working: Promise<void> = Promise.resolve();

  const wakeIn = (waitMs: number): void => {
    const at = performance.now() + waitMs;
    if (closed || at >= dueAt) return;
    dueAt = at;
    clearTimeout(timer);
    timer = setTimeout(run, waitMs);
  };
  const run = (): void => {
    dueAt = Number.POSITIVE_INFINITY;
    working = working
      .then(() => work(() => closed))
      .catch((error: Error) => log.debug({ err: error.message, channel }, "a run of a job failed and is tried again"))
      .then(() => wakeIn(pollMs));
  };

  const listening = await database.listen(channel, () => wakeIn(delayMs));
  wakeIn(0);
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await listening.close();
      await working;
    },
  };
}
