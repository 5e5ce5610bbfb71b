/**
 * Connections to Redis: one factory for standalone, Sentinel
 * and Cluster, TLS and ACL users.
 *
 * ioredis' defaults hang rather than fail: an endless
 * offline queue, twenty retries of commands whose reply was
 * lost. Here a command is sent once, at once, or rejects.
 * Reconnecting goes on in the background at most every
 * quarter of a second. The caller decides what is repeated,
 * because only some commands are idempotent.
 */
import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { Cluster, type Command, Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";
import { StartupError } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import { registerScripts } from "./scripts.js";
import { DEFAULT_PORTS, parseRedisUrl, type RedisTarget } from "./url.js";

/** A connection to one server, or to a Cluster as a whole. */
export type RedisConnection = Redis | Cluster;

/** Which Redis, and what the connection is for. */
export interface ConnectOptions {
  /**
   * `redis://`, `rediss://` (TLS),
   * `redis+cluster://host:port,host:port`,
   * `redis+sentinel://host:port,host:port/master`, or
   * `unix:/path`.
   */
  readonly url: string;
  /**
   * PEM file of the CA behind `rediss://`; the system's CAs
   * when absent.
   */
  readonly caFile?: string | undefined;
  /**
   * `requests` fail fast; a `subscriber` takes its channels up
   * again after a reconnect; `tracker` leaves that to
   * redis/cache/tracking.ts.
   */
  readonly role: "requests" | "subscriber" | "tracker";
  readonly log: Logger;
}

/**
 * Opens a connection, in the background; {@link whenReady}
 * waits. Close it by `disconnect()`.
 */
export function connectRedis(options: ConnectOptions): RedisConnection {
  const target = parseRedisUrl(options.url);
  const connection =
    target.mode === "cluster"
      ? connectCluster(target, options)
      : new Redis(redisOptions(target, options));
  connection.on("error", (error: Error) =>
    options.log.debug({ err: error.message, role: options.role }, "redis connection error"),
  );
  registerScripts(connection);
  return connection;
}

/**
 * The longest wait for any reply. Writes that take longer
 * are unknown, never "no".
 */
const COMMAND_TIMEOUT_MS = SECOND;
/**
 * A black hole swallows the answer to a polite end: then the
 * socket is destroyed.
 */
const DISCONNECT_MS = 100;
/**
 * Wait for a server that loads its data; ioredis would wait
 * up to ten seconds.
 */
const LOADING_MS = 250;

function redisOptions(target: RedisTarget, { caFile, role }: ConnectOptions): RedisOptions {
  const [first] = target.nodes;
  const tls = target.tls ? { tls: caFile ? { ca: readCa(caFile) } : {} } : {};
  const where =
    target.mode === "sentinel"
      ? {
          ...sentinelOptions(target),
          ...(target.tls ? { sentinelTLS: tls.tls ?? {}, enableTLSForSentinelMode: true } : {}),
        }
      : target.path
        ? { path: target.path }
        : { host: first?.host ?? "127.0.0.1", port: first?.port ?? DEFAULT_PORTS.standalone };
  return {
    ...where,
    ...tls,
    ...(target.username ? { username: target.username } : {}),
    ...(target.password ? { password: target.password } : {}),
    db: target.db,
    lazyConnect: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: role === "subscriber",
    connectTimeout: 2 * SECOND,
    disconnectTimeout: DISCONNECT_MS,
    maxLoadingRetryTime: LOADING_MS,
    keepAlive: 5 * SECOND,
    // A subscriber has its own heartbeat
    // (redis/client/heartbeat.ts).
    ...(role === "subscriber" ? {} : { commandTimeout: COMMAND_TIMEOUT_MS }),
    // A master that became a replica keeps its connections; the
    // address may lead to the new one.
    reconnectOnError: ({ message }) => message.startsWith("READONLY"),
    retryStrategy,
  };
}

/**
 * A master that hangs closes nothing: the Sentinels say when
 * another has taken over.
 */
const sentinelOptions = ({ nodes, master = "mymaster" }: RedisTarget) => ({
  sentinels: [...nodes],
  name: master,
  failoverDetector: true,
  sentinelRetryStrategy: retryStrategy,
});

/**
 * Back well within a second: 50 ms, doubling, at most a
 * quarter of a second.
 */
const retryStrategy = (attempt: number): number => Math.min(25 * 2 ** Math.min(attempt, 5), 250);

function connectCluster(target: RedisTarget, options: ConnectOptions): Cluster {
  const {
    db: _,
    enableOfflineQueue: __,
    retryStrategy: ___,
    lazyConnect: ____,
    ...node
  } = redisOptions({ ...target, mode: "standalone" }, options);
  return new PromptCluster([...target.nodes], {
    redisOptions: node,
    // A pipeline fails as a whole when its keys are on two nodes
    // (docs/decisions/0115-cluster-without-pipelines.md).
    enableAutoPipelining: false,
    // Sent once: a command whose connection closed may have run.
    retryDelayOnFailover: 0,
    clusterRetryStrategy: retryStrategy,
    maxRedirections: 4,
    slotsRefreshInterval: 5 * SECOND,
  });
}

/**
 * A Cluster that refuses commands at once while all of it is
 * lost. ioredis without its offline queue would also refuse
 * them while one node connects. Nodes connect when they are
 * first asked. Those commands wait within their own
 * deadlines.
 */
class PromptCluster extends Cluster {
  override sendCommand(command: Command, ...rest: unknown[]): unknown {
    if (this.status === "ready" || command.name === "cluster")
      return super.sendCommand(command, ...(rest as []));
    command.reject(new Error("The Cluster is not connected."));
    return command.promise;
  }
}

function readCa(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new StartupError(`REDIS_CA_FILE=${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * The connections to single servers: of a Cluster, one per
 * node that has been asked so far.
 */
export const linksOf = (connection: RedisConnection, role: "master" | "all" = "all"): Redis[] =>
  connection instanceof Cluster ? connection.nodes(role) : [connection];

/**
 * Reads many strings in one round trip: one MGET, or in a
 * Cluster one GET per key. Missing keys are null.
 */
export function readStrings(
  connection: RedisConnection,
  keys: readonly string[],
): Promise<(string | null)[]> {
  if (keys.length === 0) return Promise.resolve([]);
  if (!(connection instanceof Cluster)) return connection.mget([...keys]);
  return inOneTurn(connection, () => Promise.all(keys.map((key) => connection.get(key))));
}

/**
 * Sends commands. Those of all callers in one turn of the
 * event loop leave in one write. Replies come one by one.
 */
export function inOneTurn<T>(connection: RedisConnection, send: () => T): T {
  if (connection instanceof Cluster) for (const link of linksOf(connection)) holdWrites(link);
  else holdWrites(connection);
  return send();
}

/** Sockets whose writes wait for the end of this turn. */
const held = new WeakSet<Duplex>();

function holdWrites({ stream }: Redis): void {
  // No stream: not connected yet.
  if (!stream || held.has(stream)) return;
  held.add(stream);
  stream.cork();
  setImmediate(() => {
    held.delete(stream);
    stream.uncork();
  });
}

/**
 * Gives a connection up that no longer answers; ioredis
 * makes a new one. One that is being made already is left
 * alone.
 */
export function reopen(connection: RedisConnection): void {
  for (const link of linksOf(connection)) {
    if (link.status === "ready" || link.status === "connect") link.disconnect(true);
  }
}

/**
 * Resolves once the connection takes commands; rejects with
 * StartupError when it does not within `timeoutMs`.
 */
export async function whenReady(connection: RedisConnection, timeoutMs: number): Promise<void> {
  if (connection.status === "ready") return;
  let lastError: Error | undefined;
  let isReady = () => {};
  const remember = (error: Error) => {
    lastError = error;
  };
  const failure = () =>
    new StartupError(
      `no answer within ${timeoutMs / SECOND} s${lastError ? `: ${lastError.message}` : ""}`,
    );
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      isReady = resolve;
      timer = setTimeout(() => reject(failure()), timeoutMs);
      connection.on("error", remember).once("ready", isReady);
    });
  } finally {
    clearTimeout(timer);
    connection.off("error", remember).off("ready", isReady);
  }
}
