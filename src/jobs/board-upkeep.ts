/** Looks after leaderboards again and again; missing a look costs only time. */
import type { Logger } from "pino";
import type { BoardUpkeep } from "../services/board-upkeep.js";

/** Starts looking, at once and then every `everyMs`. `close()` resolves when the look under way has ended. */
export function startBoardUpkeep({ upkeep, everyMs, log }: { upkeep: BoardUpkeep; everyMs: number; log: Logger }): {
  close(): Promise<void>;
} {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();
  const look = (): void => {
    working = upkeep
      .run()
      .catch((error: Error) => log.debug({ err: error.message }, "leaderboards are looked at again later"))
      .then(() => {
        if (!closed) timer = setTimeout(look, everyMs);
      });
  };
  look();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await working;
    },
  };
}
