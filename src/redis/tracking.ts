/**
 * Keeps the local cache level coherent: Redis itself reports every change of a tag, by `CLIENT TRACKING … BCAST` on the prefix of
 * the tags, redirected to a second connection (RESP2). Only tags are tracked; tracking entries would broadcast every fill.
 *
 * The local level is on only while both connections of the pair are the ones tracking was set up on and the listener hears its own
 * beat, sent through the other: a link that fell silent gives no error. When either is lost the level is emptied at once.
 * In a Cluster the local level stays off (docs/decisions/0001-cache.md); the listener then only hears of filled values.
 */
import { randomUUID } from "node:crypto";
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "pino";
import type { CacheLink } from "./cache-link.js";
import type { LocalCache } from "./cache-local.js";
import type { RedisConnection } from "./client.js";
import type { Keys } from "./keys.js";
import type { Leases } from "./lease.js";
import type { Tags } from "./tags.js";

/** The channel on which Redis reports invalidated keys to RESP2 clients. */
const INVALIDATE_CHANNEL = "__redis__:invalidate";
/** Beats a listener may miss before it counts as deaf. */
const MISSED_BEATS = 3;

/** What tracking joins together. */
export interface TrackingParts {
  readonly link: CacheLink;
  /** A connection of role `tracker`, used for nothing else. */
  readonly listener: RedisConnection;
  readonly keys: Keys;
  readonly tags: Tags;
  readonly leases: Leases;
  readonly local: LocalCache;
  /** How often the listener's link is proven. */
  readonly beatMs: number;
  readonly log: Logger;
}

/** Starts tracking; it sets itself up again after every loss. */
export function createTracking(parts: TrackingParts): { close(): void } {
  const { listener, leases } = parts;
  if (!(listener instanceof Cluster)) return trackServer(parts, listener);
  const listen = () => void leases.listen().catch(() => {});
  listener.on("ready", listen);
  if (listener.status === "ready") listen();
  return { close: () => void listener.off("ready", listen) };
}

function trackServer({ link, keys, tags, leases, local, beatMs, log }: TrackingParts, listener: Redis): { close(): void } {
  const beatChannel = keys.heartbeat(`tracking-${randomUUID()}`);
  let listenerId: number | null = null;
  let heardAt = 0;

  const hear = async () => {
    heardAt = performance.now();
    listenerId = null;
    // Before SUBSCRIBE: a RESP2 connection in subscriber mode may not ask.
    const id = await listener.client("ID");
    await listener.subscribe(INVALIDATE_CHANNEL, keys.cacheSeenChannel(), beatChannel);
    await leases.listen();
    listenerId = id;
    await track();
  };
  const track = async () => {
    const id = listenerId;
    if (id === null || !link.trusted()) return;
    // Read while the level is off: all that was invalidated up to here is older than anything it will hold.
    local.disable();
    const count = await tags.count();
    await (link.connection as Redis).client("TRACKING", "OFF");
    await (link.connection as Redis).client("TRACKING", "ON", "REDIRECT", id, "BCAST", "PREFIX", keys.cacheTagPrefix());
    if (id === listenerId && link.trusted()) local.enable(count);
  };
  const lost = () => {
    listenerId = null;
    local.disable();
  };
  // Begun anew on a fresh connection: a half-made pair cannot tell what it has missed.
  const attempt = (step: () => Promise<void>) => () =>
    void step().catch((error: Error) => {
      log.debug({ err: error.message }, "cache tracking is not set up yet");
      if (listener.status === "ready") listener.disconnect(true);
    });
  const [onListening, onTrusted] = [attempt(hear), attempt(track)];

  const beat = setInterval(() => {
    if (performance.now() - heardAt > MISSED_BEATS * beatMs) {
      if (listenerId !== null) log.warn("cache: the invalidation link is silent; the local level is off until it answers");
      heardAt = performance.now();
      lost();
      listener.disconnect(true);
    }
    if (link.trusted()) link.connection.publish(beatChannel, "").catch(() => {});
  }, beatMs);
  beat.unref();

  const onMessage = (channel: string, message: string) => {
    if (channel === beatChannel) heardAt = performance.now();
    else if (channel === keys.cacheSeenChannel()) local.noteSeen(Number(message));
  };
  const onMessageBuffer = (channel: Buffer, message: Buffer[] | Buffer | null) => {
    if (channel.toString() === INVALIDATE_CHANNEL) local.forget(changedKeys(message));
  };
  listener.on("message", onMessage).on("messageBuffer", onMessageBuffer).on("close", lost).on("ready", onListening);
  link.onLost(local.disable);
  link.onTrusted(onTrusted);
  if (listener.status === "ready") onListening();
  return {
    close() {
      clearInterval(beat);
      listener.off("message", onMessage).off("messageBuffer", onMessageBuffer).off("close", lost).off("ready", onListening);
      lost();
    },
  };
}

/** Redis reports a list of keys, or nothing at all when everything was flushed. */
function changedKeys(message: Buffer[] | Buffer | null): string[] | null {
  if (message === null) return null;
  return (Array.isArray(message) ? message : [message]).map((key) => key.toString());
}
