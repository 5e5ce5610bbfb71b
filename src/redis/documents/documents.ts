/**
 * Documents that clients sent once and name by their hash
 * since (Apollo's automatic persisted queries).
 *
 * One HASH (SHA-256 → document, and the weight of all) and
 * one ZSET (SHA-256 → last use, Redis clock) in one slot,
 * bounded together: the least recently used makes room. Both
 * expire unused. Processes remember what they found, so each
 * asks once. Redis down: nothing is found or kept, so
 * clients send whole documents; one request pays one
 * deadline, then Redis is left alone.
 */
import { ReplyError, type Result } from "ioredis";
import type { RedisUnavailable } from "../../domain/errors.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    documentsFind(
      documents: string,
      used: string,
      sha256: string,
      lifeMs: number,
    ): Result<string | null, Context>;
    documentsKeep(
      documents: string,
      used: string,
      sha256: string,
      source: string,
      ...bounds: number[]
    ): Result<0 | 1, Context>;
  }
}

/** Lifetime and bounds. */
export interface DocumentStoreOptions {
  /** How long a document is kept unused. */
  readonly ttlMs: number;
  /**
   * Most bytes of all documents, with what Redis takes
   * besides.
   */
  readonly maxBytes: number;
}

/** No method rejects. */
export interface DocumentStore {
  /**
   * The document with this hash. One EVALSHA. Null when there
   * is none, and when Redis does not answer.
   */
  find(sha256: string): Promise<string | null>;
  /**
   * Keeps a document. Does nothing where it is too long, or
   * Redis is full or does not answer. One EVALSHA, O(documents
   * that make room).
   */
  keep(sha256: string, source: string): Promise<void>;
}

/** Two copies of the hash, and their places. */
const BESIDES_BYTES = 256;
/**
 * A document may take this share of all: a few long ones
 * must not drive out all the others.
 */
const LARGEST_SHARE = 1 / 64;
/**
 * Documents that one call drops at most, which bounds its
 * time.
 */
const MAX_DROPPED = 100;

export function createDocumentStore(
  caller: RedisCaller,
  keys: Keys,
  { ttlMs, maxBytes }: DocumentStoreOptions,
): DocumentStore {
  const [documents, used] = [keys.documents(), keys.documentsUsed()];
  const { connection } = caller;
  const unlessDown = async <T>(action: string, send: () => Promise<T>): Promise<T | null> => {
    if (!caller.isClosed()) return null;
    try {
      return await caller.call(action, send);
    } catch (error) {
      // A refusal, by a full server, is an answer too.
      if (!((error as RedisUnavailable).cause instanceof ReplyError)) caller.trip(error);
      return null;
    }
  };
  return {
    find: (sha256) =>
      unlessDown("find", () => connection.documentsFind(documents, used, sha256, ttlMs)),
    async keep(sha256, source) {
      if (Buffer.byteLength(source) > maxBytes * LARGEST_SHARE) return;
      await unlessDown("keep", () =>
        connection.documentsKeep(
          documents,
          used,
          sha256,
          source,
          ttlMs,
          maxBytes,
          BESIDES_BYTES,
          MAX_DROPPED,
        ),
      );
    },
  };
}
