/**
 * LISTEN on a connection of its own that is opened again when
 * it is lost.
 *
 * Notifications only wake up: listeners also poll, so a lost
 * one costs delay and nothing else. The connection is probed,
 * because a silent network would keep it "open" for hours.
 */
import pg from "pg";
import type { Logger } from "pino";
import { SECOND } from "../../domain/time/time.js";
import type { Listening } from "./database.js";
import { asFailure } from "./failures.js";

export interface ListenOptions {
  readonly config: pg.ClientConfig;
  readonly channel: string;
  readonly onNotify: (payload: string) => void;
  readonly onLost?: (() => void) | undefined;
  readonly log: Logger;
}

const PROBE_EVERY_MS = 10 * SECOND;
const RELISTEN_MS = { first: SECOND / 10, max: 2 * SECOND } as const;

/**
 * Resolves when the server confirmed LISTEN; rejects with
 * DatabaseUnavailable when it cannot be reached.
 */
export async function listenPostgres(options: ListenOptions): Promise<Listening> {
  let client: pg.Client | null = null;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  const lost = (): void => {
    client = null;
    if (closed) return;
    options.log.warn({ channel: options.channel }, "the listening connection to Postgres was lost");
    options.onLost?.();
    resume(RELISTEN_MS.first);
  };
  const start = async (): Promise<void> => {
    const connected = await connectListener(options);
    if (closed) return connected.end();
    client = connected;
    watch(connected, lost);
  };
  const resume = (afterMs: number): void => {
    retry = setTimeout(() => {
      start().then(
        () => closed || options.onNotify(""),
        () => closed || resume(Math.min(afterMs * 2, RELISTEN_MS.max)),
      );
    }, afterMs);
  };

  await start();
  return {
    async close() {
      closed = true;
      clearTimeout(retry);
      await client?.end();
    },
  };
}

async function connectListener({ config, channel, onNotify }: ListenOptions): Promise<pg.Client> {
  const client = new pg.Client(config);
  // "end" reports losses; without a listener, "error" would
  // end the process.
  client.on("error", () => {});
  client.on("notification", ({ payload }) => onNotify(payload ?? ""));
  try {
    await client.connect();
    await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw asFailure(error);
  }
}

/** Calls `lost` once when the connection ends or no longer answers. */
function watch(client: pg.Client, lost: () => void): void {
  const probe = setInterval(() => {
    const query = { text: "SELECT 1", query_timeout: PROBE_EVERY_MS / 2 };
    client.query(query).catch(() => client.end().catch(() => {}));
  }, PROBE_EVERY_MS).unref();
  client.once("end", () => {
    clearInterval(probe);
    lost();
  });
}
