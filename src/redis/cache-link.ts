/**
 * The cache's link to Redis: whether it may be asked right now.
 *
 * Two reasons say no. *Not trusted*: the connection is new, and what the server holds may be older than what it held before (a
 * restart, an older snapshot, a failover). Before the first read the run ids of the masters are compared with those the epoch was
 * made on; other servers, or invalidations that could not be sent, mean a new epoch, and everything older dies unread. *Tripped*: a
 * reply was late. One request pays the deadline, then nobody asks until a probe in the background is answered.
 */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Cluster, type Redis, ReplyError } from "ioredis";
import type { Logger } from "pino";
import { RedisUnavailable } from "../domain/errors.js";
import type { Telemetry } from "../domain/telemetry.js";
import { SECOND } from "../domain/time.js";
import type { RedisConnection } from "./client.js";
import type { Tags } from "./tags.js";

/** What the link needs besides its connection. */
export interface CacheLinkOptions {
  /** Longest wait for a reply. */
  readonly deadlineMs: number;
  /** Whether a new epoch is due although the servers are the same: invalidations wait unsent. Asked before the first read. */
  readonly mustRenewEpoch: () => Promise<boolean>;
  readonly telemetry: Telemetry;
  readonly log: Logger;
}

/** The link. */
export type CacheLink = ReturnType<typeof createCacheLink>;

/** How often a lost server is tried: well within the second in which reads come back to it. */
const PROBE_MS = 50;
/** A link that is silent this long is opened anew: a black hole gives no error. */
const SILENCE_MS = SECOND;

export function createCacheLink(connection: RedisConnection, tags: Tags, { deadlineMs, mustRenewEpoch, telemetry, log }: CacheLinkOptions) {
  const state = { trusted: false, tripped: false, closed: false, generation: 0, servers: "", clockOffsetMs: 0 };
  const listeners = { trusted: new Set<() => void>(), lost: new Set<() => void>() };
  let working: Promise<void> | null = null;

  const lose = () => {
    state.generation += 1;
    if (state.trusted) log.warn("cache: the connection to Redis is lost; reads come from Postgres");
    state.trusted = false;
    for (const listener of listeners.lost) listener();
    recover();
  };

  /** Brings the link back, one attempt after the other, until it answers and is trusted. */
  const recover = () => {
    working ??= (async () => {
      let silentSince = performance.now();
      while (!state.closed && (!state.trusted || state.tripped)) {
        if (await attempt().catch(() => false)) break;
        if (performance.now() - silentSince > SILENCE_MS) {
          silentSince = performance.now();
          reopen(connection);
        }
        await delay(PROBE_MS);
      }
    })().finally(() => {
      working = null;
      if (!state.closed && (!state.trusted || state.tripped)) recover();
    });
  };

  const attempt = async (): Promise<boolean> => {
    if (connection.status !== "ready") return false;
    const { generation, trusted } = state;
    await establish();
    if (generation !== state.generation) return false;
    if (state.tripped || !trusted) log.info("cache: Redis answers; reads go through it");
    Object.assign(state, { trusted: true, tripped: false });
    if (!trusted) for (const listener of listeners.trusted) listener();
    return true;
  };

  /** Everything that must be known before the first read; sets nothing that a read could act on too early. */
  const establish = async (): Promise<void> => {
    const [servers, [seconds, micros]] = await withDeadline(Promise.all([fingerprint(connection), connection.time()]), SECOND);
    const renew = await mustRenewEpoch().catch(() => true);
    await withDeadline(tags.epoch(servers, renew ? "renew" : "keep"), SECOND);
    state.servers = servers;
    state.clockOffsetMs = Number(seconds) * SECOND + Math.floor(Number(micros) / 1_000) - Date.now();
  };

  const unwatch = watch(connection, lose);
  recover();

  return {
    connection,
    /** True when a read may be sent now. */
    usable: (): boolean => state.trusted && !state.tripped,
    /** True while the connection is one whose epoch was checked. */
    trusted: (): boolean => state.trusted,
    /** The servers behind the link, as one word for the epoch. */
    servers: (): string => state.servers,
    /** Ms since epoch by the Redis clock. */
    nowMs: (): number => Date.now() + state.clockOffsetMs,
    /** Runs one round trip. Rejects with RedisUnavailable at once when the link is down, after the deadline when it falls silent; an error that Redis itself replied passes through. */
    async run<T>(what: string, send: () => Promise<T>): Promise<T> {
      if (!state.trusted || state.tripped) throw new RedisUnavailable();
      const startedAt = performance.now();
      try {
        const result = await withDeadline(send(), deadlineMs);
        telemetry.redisRoundTrip(what, performance.now() - startedAt, false);
        return result;
      } catch (error) {
        telemetry.redisRoundTrip(what, performance.now() - startedAt, true);
        if (error instanceof ReplyError) throw error;
        if (!state.tripped) log.warn({ what }, "cache: Redis does not answer; reads come from Postgres");
        state.tripped = true;
        recover();
        throw new RedisUnavailable(error);
      }
    },
    /** Calls back each time the link becomes trusted, at once when it is. */
    onTrusted(listener: () => void): void {
      listeners.trusted.add(listener);
      if (state.trusted) listener();
    },
    /** Calls back each time the connection is lost. */
    onLost: (listener: () => void): void => void listeners.lost.add(listener),
    /** Ends the probing; the connection is closed by whoever opened it. */
    async close(): Promise<void> {
      state.closed = true;
      unwatch();
      await working;
    },
  };
}

/** Calls `lose` when any connection that reads may go through has closed, or when the masters are others. */
function watch(connection: RedisConnection, lose: () => void): () => void {
  connection.on("close", lose);
  if (!(connection instanceof Cluster)) return () => void connection.off("close", lose);
  const watchNode = (node: Redis) => {
    node.on("close", lose);
    lose();
  };
  for (const node of connection.nodes("all")) node.on("close", lose);
  connection.on("+node", watchNode);
  connection.on("-node", lose);
  return () => {
    connection.off("close", lose).off("+node", watchNode).off("-node", lose);
    for (const node of connection.nodes("all")) node.off("close", lose);
  };
}

/** One word for the run ids of all masters: another process, another word. */
async function fingerprint(connection: RedisConnection): Promise<string> {
  const masters = connection instanceof Cluster ? connection.nodes("master") : [connection];
  const infos = await Promise.all(masters.map((master) => master.info("server")));
  const runIds = infos.map((info) => /run_id:(\w+)/.exec(info)?.[1] ?? "unknown").sort();
  return createHash("sha256").update(runIds.join()).digest("hex").slice(0, 16);
}

function reopen(connection: RedisConnection): void {
  if (connection instanceof Cluster) for (const node of connection.nodes("all")) node.disconnect(true);
  else if (connection.status === "ready" || connection.status === "connect") connection.disconnect(true);
}

/** Rejects after `deadlineMs`, but not for a reply that has arrived while this process was busy: one turn of the loop is given to read it. */
export async function withDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => setImmediate(() => setImmediate(() => reject(new Error(`no reply within ${deadlineMs} ms`)))), deadlineMs);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
