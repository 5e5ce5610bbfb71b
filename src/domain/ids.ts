/**
 * Global ids: opaque to clients, `base64url("<Type>:<key>")`
 * inside.
 *
 * One id names one thing of one type everywhere: `node(id)`,
 * arguments, subscriptions. The database key inside is a
 * positive safe integer. Source: the Relay global object
 * identification specification.
 */

/** Types that have a global id and can be fetched by `node`. */
export const NODE_TYPES = [
  "Product",
  "Category",
  "Brand",
  "Review",
  "User",
  "Leaderboard",
  "Notification",
] as const;

/** A type of {@link NODE_TYPES}. */
export type NodeType = (typeof NODE_TYPES)[number];

export interface NodeId {
  readonly type: NodeType;
  readonly key: number;
}

/**
 * Types whose id names a thing in a client's cache alone:
 * nothing is fetched by it.
 */
export type CachedType = "ProductStats" | "Viewer" | "Inbox";

/** Longer input is no id; refusing it early keeps hostile ids cheap. */
const MAX_ID_LENGTH = 64;

/** Encodes a database key as the global id clients see. */
export function encodeId(type: NodeType, key: number): string {
  return Buffer.from(`${type}:${key}`).toString("base64url");
}

/**
 * An id for the caches of clients, made as {@link encodeId} does:
 * no two types share one. {@link decodeId} takes it for no id.
 */
export function encodeCacheId(type: CachedType, key: number): string {
  return Buffer.from(`${type}:${key}`).toString("base64url");
}

/**
 * Decodes a global id of any type; `null` for any other text,
 * non-canonical spellings included.
 */
export function decodeId(id: string): NodeId | null {
  if (id.length > MAX_ID_LENGTH) return null;
  const match = /^([A-Za-z]+):([1-9][0-9]{0,15})$/.exec(
    Buffer.from(id, "base64url").toString("latin1"),
  );
  const type = NODE_TYPES.find((known) => known === match?.[1]);
  const key = Number(match?.[2]);
  if (!type || !Number.isSafeInteger(key) || encodeId(type, key) !== id) return null;
  return { type, key };
}

/**
 * The database key of a global id of one type; `null` for any
 * other text.
 */
export function decodeIdOf(type: NodeType, id: string): number | null {
  const decoded = decodeId(id);
  return decoded?.type === type ? decoded.key : null;
}
