/** The first wait for Redis. */
import type { Logger } from "pino";
import { StartupError } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import { type RedisConnection, whenReady } from "./connect.js";
import { describeRedis } from "./url.js";

/**
 * How long the start waits for Redis before it goes on
 * without.
 */
const REDIS_START_MS = 5 * SECOND;

/**
 * Reads go on without Redis: an outage keeps no process from
 * starting. A refusal is a mistake in the configuration.
 */
export async function waitForRedis(
  connection: RedisConnection,
  url: string,
  log: Logger,
): Promise<void> {
  log.info({ redis: describeRedis(url) }, "waiting for Redis");
  try {
    await whenReady(connection, REDIS_START_MS);
  } catch (error) {
    const { message } = error as Error;
    if (/WRONGPASS|NOAUTH|NOPERM|certificate|self.signed/i.test(message)) {
      throw new StartupError(
        `Redis at ${describeRedis(url)} refuses the connection: ${message}. Check user, ` +
          "password and CA of REDIS_URL.",
      );
    }
    log.warn(
      { redis: describeRedis(url), err: message },
      "Redis does not answer; starting without: reads come from Postgres, live updates " +
        "follow once it is back",
    );
  }
}
