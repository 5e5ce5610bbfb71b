/** Builds the cache on two connections. */
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "pino";
import type { TraceAnswer } from "../../domain/reading/answer-tags.js";
import type { Degradations } from "../../domain/telemetry/degradations.js";
import type { Telemetry } from "../../domain/telemetry/telemetry.js";
import { type SubscriberLink, subscriberLink } from "../client/cluster-link.js";
import { connectRedis, type RedisConnection } from "../client/connect.js";
import type { Keys } from "../client/keys.js";
import { createLeases } from "../client/lease.js";
import { TagTrace } from "./answer-trace.js";
import { createReadBatch } from "./batch.js";
import { MemoryBudget } from "./budget.js";
import { type Cache, createCache, type ReadThroughCache } from "./cache.js";
import type { CacheTimes } from "./deps.js";
import { CacheLink } from "./link.js";
import { LocalCache } from "./local.js";
import { createTags } from "./tags.js";
import { Tracking } from "./tracking.js";

export interface OpenCacheOptions extends CacheTimes {
  readonly url: string;
  readonly caFile?: string | undefined;
  readonly keys: Keys;
  readonly leaseMs: number;
  readonly deadlineMs: number;
  readonly localBytes: number;
  readonly tagTtlMs: number;
  /** How often the invalidation link is proven. */
  readonly beatMs: number;
  /**
   * Whether invalidations wait unsent: then what Redis holds
   * is not verified after an outage.
   */
  readonly hasUnsentInvalidations: () => Promise<boolean>;
  /** How often the server's memory is looked at; default 5 s. */
  readonly memoryCheckMs?: number;
  readonly telemetry: Telemetry;
  readonly degradations: Pick<Degradations, "of">;
  readonly log: Logger;
}

/** A cache with its connections. */
export interface OpenCache extends Cache {
  readonly link: CacheLink;
  /** The level inside this process. Read it, do not write it. */
  readonly local: Pick<LocalCache, "isOn" | "hasSeen" | "size">;
  /** See {@link ReadThroughCache.underWay}. */
  underWay(): ReturnType<ReadThroughCache["underWay"]>;
  /** Follows the reads of an answer that may be stored. */
  readonly traceAnswer: TraceAnswer;
  close(): Promise<void>;
}

/** The connections of a cache. Its owner closes them. */
export interface CacheConnections {
  readonly connection: RedisConnection;
  /** Used for nothing else; it enters subscriber mode. */
  readonly listener: Redis;
}

/**
 * Opens the cache. It may be read at once; Redis is used as
 * soon as it answers.
 */
export function openCache(options: OpenCacheOptions): OpenCache {
  const connection = connectRedis({ ...options, role: "requests" });
  const { subscriber: listener, close: hangUp } = openListener(connection, options);
  const cache = assembleCache(options, { connection, listener });
  return {
    ...cache,
    async close() {
      await cache.close();
      hangUp();
      connection.disconnect();
    },
  };
}

/**
 * Builds a cache on connections that are there; closing it
 * leaves them open.
 */
export function assembleCache(
  options: Omit<OpenCacheOptions, "url" | "caFile">,
  { connection, listener }: CacheConnections,
): OpenCache {
  const { keys, log, telemetry, degradations } = options;
  const tags = createTags(connection, keys, { keepMs: options.tagTtlMs });
  const leases = createLeases(connection, listener, keys, options);
  const local = new LocalCache({ maxBytes: options.localBytes });
  const link = new CacheLink({
    ...options,
    connection,
    tags,
    mustRenewEpoch: options.hasUnsentInvalidations,
    report: degradations.of("cache"),
  });
  const tracking = new Tracking({
    link,
    listener,
    keys,
    tags,
    leases,
    local,
    beatMs: options.beatMs,
    telemetry,
    report: degradations.of("cacheLocal"),
    log,
  });
  const budget = new MemoryBudget(link, degradations.of("cacheFills"), options.memoryCheckMs);
  const readBatch = createReadBatch(link);
  const parts = { link, keys, tags, leases, local, readBatch, budget };
  const cache = createCache({ ...parts, times: options, telemetry });
  return {
    readMany: cache.readMany,
    invalidate: cache.invalidate,
    nowMs: cache.nowMs,
    underWay: () => cache.underWay(),
    traceAnswer: () =>
      local.isOn() || link.usable() ? new TagTrace({ local, link, readBatch }) : null,
    link,
    local,
    async close() {
      budget.close();
      await link.close();
      tracking.close();
      leases.close();
    },
  };
}

/** In a Cluster any one node passes every message on. */
function openListener(connection: RedisConnection, options: OpenCacheOptions): SubscriberLink {
  if (connection instanceof Cluster) return subscriberLink(connection);
  const subscriber = connectRedis({ ...options, role: "tracker" }) as Redis;
  return { subscriber, close: () => subscriber.disconnect() };
}
