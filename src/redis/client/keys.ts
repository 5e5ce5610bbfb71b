/**
 * Every key, channel and prefix that Souk uses in Redis: the only file that spells one.
 * docs/keys.md describes each family (type, TTL, owner, size bound) and is compared with {@link
 * KEY_FAMILIES} by a test.
 *
 * Shape: `souk:v1:<thing>:{<id>}`. The braces are the Cluster hash tag: an entry and its lease
 * share one, so one script may touch both. `v1` changes when the shape of any value changes. A
 * prefix before it keeps tests apart in one server.
 */

export { KEY_FAMILIES } from "./key-families.js";

/** Spells keys under one prefix. */
export type Keys = ReturnType<typeof createKeys>;

/** @param prefix put before every key; empty in production, unique per test */
export function createKeys(prefix = "") {
  const root = `${prefix}souk:v1:`;
  return {
    cacheEntry: (name: string) => `${root}cache:{${name}}`,
    cacheLease: (name: string) => `${root}lease:{${name}}`,
    cacheTag: (tag: string) => `${root}tag:{${tag}}`,
    /**
     * What CLIENT TRACKING watches: tags and the epoch, never entries, or every fill would be
     * broadcast to everyone.
     */
    cacheTagPrefix: () => `${root}tag:`,
    cacheEpoch: () => `${root}tag:{!epoch}`,
    cacheSeen: () => `${root}cache-seen`,
    cacheSeenChannel: () => `${root}cache-seen`,
    cacheFilled: () => `${root}cache-filled`,
    session: (userTag: string, id: string) => `${root}session:{${userTag}}:${id}`,
    sessions: (userTag: string) => `${root}sessions:{${userTag}}`,
    sessionEpoch: (userTag: string) => `${root}session-epoch:{${userTag}}`,
    sessionEverybody: () => `${root}session-everybody`,
    attempts: (operation: "sign-in" | "sign-up", bucket: string, id: string) =>
      `${root}attempts:{${operation}}:${bucket}:${id}`,
    attemptsKnown: (id: string) => `${root}attempts-known:{sign-in}:${id}`,
    documents: () => `${root}documents:{all}`,
    documentsUsed: () => `${root}documents-used:{all}`,
    cart: (owner: string) => `${root}cart:{${owner}}`,
    cartOperations: (owner: string) => `${root}cart-operations:{${owner}}`,
    cartTry: (owner: string, id: string) => `${root}cart-try:{${owner}}:${id}`,
    cartMerge: (owner: string, merge: string) => `${root}cart-merge:{${owner}}:${merge}`,
    board: (board: number) => `${root}board:{${board}}`,
    boardNames: (board: number) => `${root}board:{${board}}:names`,
    boardWaiting: (board: number) => `${root}board:{${board}}:waiting`,
    boardAnswers: (board: number, slice: number) => `${root}board:{${board}}:answers:${slice}`,
    boardBuild: (board: number) => `${root}board:{${board}}:build`,
    boardRanks: (board: number, name: string) => `${root}board:{${board}}:${name}:ranks`,
    boardOwners: (board: number, name: string) => `${root}board:{${board}}:${name}:owners`,
    boardScores: (board: number, name: string) => `${root}board:{${board}}:${name}:scores`,
    counterShard: (shard: number) => `${root}counters:{c${shard}}:shard`,
    counterPending: (shard: number) => `${root}counters:{c${shard}}:pending`,
    counterBatch: (shard: number) => `${root}counters:{c${shard}}:batch`,
    /** `span` is a month or a day; without one: of all time. */
    tally: (shard: number, product: number, span?: string) =>
      spanned(`${root}tally`, `{c${shard}}:${product}`, span),
    viewers: (shard: number, product: number, span?: string) =>
      spanned(`${root}viewers`, `{c${shard}}:${product}`, span),
    viewersMerged: (shard: number, product: number, range: string) =>
      `${root}viewers-merged:{c${shard}}:${product}:${range}`,
    exactViewers: (shard: number, product: number) => `${root}exact-viewers:{c${shard}}:${product}`,
    recentViewers: (shard: number, product: number) =>
      `${root}recent-viewers:{c${shard}}:${product}`,
    counterOperations: (shard: number, product: number) =>
      `${root}counter-operations:{c${shard}}:${product}`,
    log: (kind: string, id: number | string) => `${root}log:{${kind}:${id}}`,
    logState: (kind: string, id: number | string) => `${root}log-state:{${kind}:${id}}`,
    activityDay: (day: string) => `${root}activity:{activity}:${day}`,
    activityLoaded: (day: string) => `${root}activity-loaded:{activity}:${day}`,
    activityUnion: (report: string, part: string) =>
      `${root}activity-union:{activity}:${report}:${part}`,
    limitBucket: (kind: string, name: string) => `${root}limit:{limit}:${kind}:${name}`,
    limitHold: (operation: string) => `${root}limit-hold:{limit}:${operation}`,
    topic: (kind: string, id: number | string) => `${root}topic:${kind}:${id}`,
    heartbeat: (connection: string) => `${root}heartbeat:${connection}`,
  };
}

const spanned = (thing: string, of: string, span: string | undefined): string =>
  span === undefined ? `${thing}:${of}` : `${thing}-of:${of}:${span}`;
