/**
 * What the embedded Redis servers share, whether a program or
 * a container: when they serve, how often they save, and that
 * they are kept up.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { SECOND } from "../domain/time/time.js";
import type { Ending, GuardedChild } from "./guarded-child.js";

/** A running embedded Redis. */
export interface EmbeddedRedis {
  /** `unix:/path/of/the/socket`, or a port of loopback. */
  readonly url: string;
  /** Of the present server: it changes with a restart. */
  readonly pid: number;
  /** Stops the server once it has written its data. */
  close(): Promise<void>;
  /**
   * Ends the server at once: stopping would delete what
   * stands at the paths of its pid file and socket.
   */
  abandon(): void;
}

/**
 * RDB beside AOF: after 1 change in an hour, 100 in five
 * minutes, 10,000 in one.
 */
export const SNAPSHOTS = ["3600", "1", "300", "100", "60", "10000"];

const ASK_MS = 10;
/**
 * A server that is neither up nor loading after this long
 * never will be.
 */
const NEVER_UP_MS = 15 * SECOND;
/**
 * The pause between a death and the next start. It keeps a
 * server that cannot start from spinning.
 */
const RESTART_MS = SECOND;

interface Asked {
  /** The raw reply to a PING; null without one. */
  readonly ask: () => Promise<string | null>;
  /** Named in the failure. */
  readonly where: string;
  readonly log: Pick<Logger, "info">;
}

/** Resolves to null when the server serves, or to how it ended. */
export async function untilServes(child: GuardedChild, asked: Asked): Promise<Ending | null> {
  const { ask, where, log } = asked;
  let heardAt = performance.now();
  let told = false;
  const ended = child.exited;
  for (;;) {
    const answer = await Promise.race([ended, ask()]);
    if (answer !== null && typeof answer === "object") return answer;
    if (answer?.includes("+PONG")) return null;
    if (answer?.includes("-LOADING")) heardAt = performance.now();
    if (!told && answer?.includes("-LOADING"))
      log.info("waiting for the embedded redis-server to load its data");
    told ||= answer !== null;
    if (performance.now() - heardAt > NEVER_UP_MS)
      return { code: 0, output: `it does not answer on ${where}` };
    await delay(ASK_MS);
  }
}

interface SupervisedRedis {
  readonly url: string;
  /** The server that serves now. */
  readonly child: GuardedChild;
  /** Starts the next one, and waits until it serves. */
  readonly start: () => Promise<GuardedChild>;
  readonly log: Pick<Logger, "error">;
}

/** Starts a server again that ends before it is closed. */
export function superviseRedis(options: SupervisedRedis): EmbeddedRedis {
  const { url, start, log } = options;
  let { child } = options;
  let closing = false;
  const supervise = async () => {
    for (;;) {
      const { code, output } = await child.exited;
      if (closing) return;
      log.error({ code, output }, "the embedded redis-server ended; starting it again");
      await delay(RESTART_MS);
      if (closing) return;
      child = await start().catch((error: unknown) => {
        log.error({ err: error }, "the embedded redis-server did not start");
        return child;
      });
      // Closed while it was coming up: `close` stops this
      // one, too.
      if (closing) return;
    }
  };
  const supervision = supervise();
  return {
    url,
    get pid() {
      return child.pid;
    },
    async close() {
      closing = true;
      await child.stop();
      await supervision;
      await child.stop();
    },
    abandon() {
      closing = true;
      child.kill();
    },
  };
}
