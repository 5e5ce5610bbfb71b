/**
 * The one WebSocket of all subscriptions. It comes back by itself for as long as the page is open:
 * snapshot subscriptions then begin with the latest value, logs after their cursor.
 */
import { type Client, createClient } from "graphql-ws";

/** `lost`: it was closed or never opened, and is being opened again. */
export type Connection = "opening" | "open" | "lost";

export interface Sockets {
  readonly client: Client;
  /** For useSyncExternalStore. */
  connection(): Connection;
  onConnection(listener: () => void): () => void;
  /** Calls back after each opening: the socket has an identity from then on. */
  onOpen(listener: () => void): void;
  /** Calls back when the shop has closed the socket because its session has ended. */
  onSessionEnd(listener: () => void): void;
  /** Connects again, with the cookies of now. A socket keeps the identity it was opened with. */
  renew(): void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** A ping goes out this often; a socket whose pong takes half of that is given up. */
const KEEP_ALIVE_MS = 10_000;
/** Close codes of the shop: the session was revoked, or has expired. */
const SESSION_ENDED = [4401, 4403];

export function createSockets(httpUrl: string): Sockets {
  let connection: Connection = "opening";
  let acknowledged = false;
  let pongDue: ReturnType<typeof setTimeout> | undefined;
  const listeners = new Set<() => void>();
  const opened = new Set<() => void>();
  const sessionEnded = new Set<() => void>();

  function become(next: Connection): void {
    connection = next;
    for (const listener of listeners) listener();
  }
  function giveUp(): void {
    become("lost");
    client.terminate();
  }

  const client = createClient({
    url: httpUrl.replace(/^http/, "ws"),
    keepAlive: KEEP_ALIVE_MS,
    // One page of live values hands over to the next within that time.
    lazyCloseTimeout: 1_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: waitBeforeRetry,
    on: {
      connected() {
        acknowledged = true;
        become("open");
        for (const listener of opened) listener();
      },
      ping(received) {
        if (!received) pongDue = setTimeout(giveUp, KEEP_ALIVE_MS / 2);
      },
      pong: () => clearTimeout(pongDue),
      closed(event) {
        clearTimeout(pongDue);
        const code = (event as CloseEvent).code;
        if (!CLOSED_BY_US.includes(code)) become("lost");
        if (acknowledged && SESSION_ENDED.includes(code))
          for (const listener of sessionEnded) listener();
        acknowledged = false;
      },
    },
  });
  // Without this, the page would wait for a pong before it says so.
  addEventListener("offline", giveUp);

  return {
    client,
    connection: () => connection,
    onConnection(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onOpen: (listener) => void opened.add(listener),
    onSessionEnd: (listener) => void sessionEnded.add(listener),
    renew: () => client.terminate(),
  };
}

/** The last subscription has ended, or `terminate`. */
const CLOSED_BY_US = [1000, 4499];

/**
 * Grows with every failed attempt; half of it is random, so that all pages of a shop do not come
 * back at once. Ends early when the browser is online again.
 */
function waitBeforeRetry(retries: number): Promise<void> {
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** retries, LONGEST_WAIT_MS);
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, waitMs * (0.5 + Math.random() / 2));
    addEventListener("online", done);
  });
}
