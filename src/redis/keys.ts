/**
 * Every key, channel and prefix that Souk uses in Redis: the only file that spells one. docs/keys.md describes each family
 * (type, TTL, owner, size bound) and is compared with {@link KEY_FAMILIES} by a test.
 *
 * Shape: `souk:v1:<thing>:{<id>}`. The braces are the Cluster hash tag: an entry and its lease share one, so one script may
 * touch both. `v1` changes when the shape of any value changes. A prefix before it keeps tests apart in one server.
 */

/** One family of keys or channels, as documented. */
export interface KeyFamily {
  /** The shape, with `<…>` for what varies. */
  readonly pattern: string;
  readonly type: "string" | "hash" | "zset" | "set" | "stream" | "channel";
  /** Lifetime in words; "-" for channels. */
  readonly ttl: string;
  /** The file that writes it. */
  readonly owner: string;
  /** What bounds its number and size. */
  readonly bound: string;
}

export const KEY_FAMILIES: Readonly<Record<string, KeyFamily>> = {
  cacheEntry: {
    pattern: "souk:v1:cache:{<family>:<id>}",
    type: "string",
    ttl: "CACHE_TTL_MS, up to a tenth less, and CACHE_GRACE_MS",
    owner: "redis/cache-load.ts",
    bound: "values read within their lifetime; may be evicted",
  },
  cacheLease: {
    pattern: "souk:v1:lease:{<family>:<id>}",
    type: "hash",
    ttl: "CACHE_LEASE_MS",
    owner: "redis/lease.ts",
    bound: "loads under way",
  },
  cacheTag: {
    pattern: "souk:v1:tag:{<tag>}",
    type: "string",
    ttl: "CACHE_TTL_MS, CACHE_GRACE_MS and a day, renewed when half spent",
    owner: "redis/tags.ts",
    bound: "tags of cached values; may be evicted",
  },
  cacheEpoch: { pattern: "souk:v1:tag:{!epoch}", type: "string", ttl: "none", owner: "redis/tags.ts", bound: "one; may be evicted" },
  cacheSeen: { pattern: "souk:v1:cache-seen", type: "string", ttl: "none", owner: "redis/tags.ts", bound: "one; may be evicted" },
  cacheSeenChannel: {
    pattern: "souk:v1:cache-seen",
    type: "channel",
    ttl: "-",
    owner: "redis/tags.ts",
    bound: "one message per invalidation",
  },
  cacheFilled: {
    pattern: "souk:v1:cache-filled",
    type: "channel",
    ttl: "-",
    owner: "redis/lease.ts",
    bound: "one message per load that somebody waits for",
  },
  session: {
    pattern: "souk:v1:session:{<user tag>}:<session>",
    type: "hash",
    ttl: "SESSION_IDLE_MS, at most SESSION_CAP_MS since sign-in",
    owner: "redis/session.ts",
    bound: "live sessions, and for that long those that were revoked together",
  },
  sessions: {
    pattern: "souk:v1:sessions:{<user tag>}",
    type: "zset",
    ttl: "SESSION_CAP_MS since the last sign-in",
    owner: "redis/session.ts",
    bound: "users signed in; SESSION_MOST members each",
  },
  sessionEpoch: {
    pattern: "souk:v1:session-epoch:{<user tag>}",
    type: "string",
    ttl: "SESSION_CAP_MS and a day",
    owner: "redis/session.ts",
    bound: "users signed in lately",
  },
  sessionEverybody: {
    pattern: "souk:v1:session-everybody",
    type: "string",
    ttl: "none",
    owner: "redis/session.ts",
    bound: "one",
  },
  attempts: {
    pattern: "souk:v1:attempts:{<operation>}:<bucket>:<id>",
    type: "zset",
    ttl: "SIGN_IN_WINDOW_MS or SIGN_UP_WINDOW_MS since the last attempt",
    owner: "redis/attempts.ts",
    bound: "accounts and addresses tried within the window; members: attempts that were let in",
  },
  attemptsKnown: {
    pattern: "souk:v1:attempts-known:{sign-in}:<account and place>",
    type: "string",
    ttl: "SIGN_IN_KNOWN_MS since the last sign-in from there",
    owner: "redis/attempts.ts",
    bound: "addresses that users have signed in from",
  },
  documents: {
    pattern: "souk:v1:documents:{all}",
    type: "hash",
    ttl: "PERSISTED_DOCUMENTS_TTL_MS since the last use",
    owner: "redis/documents.ts",
    bound: "PERSISTED_DOCUMENTS_BYTES; may be evicted",
  },
  documentsUsed: {
    pattern: "souk:v1:documents-used:{all}",
    type: "zset",
    ttl: "PERSISTED_DOCUMENTS_TTL_MS since the last use",
    owner: "redis/documents.ts",
    bound: "one member per document; may be evicted",
  },
  cart: {
    pattern: "souk:v1:cart:{<owner>}",
    type: "hash",
    ttl: "CART_TTL_MS since the last use, and a day",
    owner: "redis/cart.ts",
    bound: "owners of a cart; 200 lines each",
  },
  cartOperations: {
    pattern: "souk:v1:cart-operations:{<owner>}",
    type: "hash",
    ttl: "a day since the last write",
    owner: "redis/cart.ts",
    bound: "owners who wrote within a day; 512 operations each",
  },
  cartTry: {
    pattern: "souk:v1:cart-try:{<owner>}:<try>",
    type: "string",
    ttl: "a minute",
    owner: "redis/cart.ts",
    bound: "changes of the last minute to which callers gave no operation id",
  },
  cartMerge: {
    pattern: "souk:v1:cart-merge:{<owner>}:<merge>",
    type: "string",
    ttl: "CART_TTL_MS and two days",
    owner: "redis/cart.ts",
    bound: "sign-ins of guests with something in their cart",
  },
  board: {
    pattern: "souk:v1:board:{<board>}",
    type: "hash",
    ttl: "none",
    owner: "redis/leaderboard.ts",
    bound: "leaderboards",
  },
  boardNames: {
    pattern: "souk:v1:board:{<board>}:names",
    type: "set",
    ttl: "none",
    owner: "redis/leaderboard.ts",
    bound: "leaderboards; one member per period that is not archived yet",
  },
  boardWaiting: {
    pattern: "souk:v1:board:{<board>}:waiting",
    type: "zset",
    ttl: "none",
    owner: "redis/leaderboard.ts",
    bound: "leaderboards; batches under way",
  },
  boardAnswers: {
    pattern: "souk:v1:board:{<board>}:answers:<ten minutes>",
    type: "hash",
    ttl: "20 minutes since its last answer",
    owner: "redis/leaderboard.ts",
    bound: "submissions with an operation id in ten minutes",
  },
  boardBuild: {
    pattern: "souk:v1:board:{<board>}:build",
    type: "string",
    ttl: "30 seconds, renewed by the builder",
    owner: "redis/leaderboard.ts",
    bound: "boards that are being built",
  },
  boardRanks: {
    pattern: "souk:v1:board:{<board>}:<generation>:<period>:<start>:ranks",
    type: "zset",
    ttl: "none",
    owner: "redis/leaderboard.ts",
    bound: "owners on the board in a period that is not archived yet",
  },
  boardOwners: {
    pattern: "souk:v1:board:{<board>}:<generation>:<period>:<start>:owners",
    type: "hash",
    ttl: "none",
    owner: "redis/leaderboard.ts",
    bound: "like boardRanks; at most 1.2 KB each",
  },
  boardScores: {
    pattern: "souk:v1:board:{<board>}:<generation>:<period>:<start>:scores",
    type: "zset",
    ttl: "none",
    owner: "redis/leaderboard.ts",
    bound: "distinct scores of boards with dense ranks",
  },
  counterShard: {
    pattern: "souk:v1:counters:{c<shard>}:shard",
    type: "hash",
    ttl: "none",
    owner: "redis/counters.ts",
    bound: "64",
  },
  counterPending: {
    pattern: "souk:v1:counters:{c<shard>}:pending",
    type: "hash",
    ttl: "none",
    owner: "redis/counters.ts",
    bound: "64; what was counted since the last flush",
  },
  counterBatch: {
    pattern: "souk:v1:counters:{c<shard>}:batch",
    type: "hash",
    ttl: "none",
    owner: "redis/counters.ts",
    bound: "64; what is on its way to Postgres",
  },
  tally: { pattern: "souk:v1:tally:{c<shard>}:<product>", type: "hash", ttl: "none", owner: "redis/counters.ts", bound: "products" },
  tallySpan: {
    pattern: "souk:v1:tally-of:{c<shard>}:<product>:<month or day>",
    type: "hash",
    ttl: "8 days beyond the span, or an hour since it was loaded",
    owner: "redis/counters.ts",
    bound: "products seen on a day, for 9 days; in a month, for 39",
  },
  viewers: {
    pattern: "souk:v1:viewers:{c<shard>}:<product>",
    type: "string",
    ttl: "none",
    owner: "redis/counters.ts",
    bound: "products; 12 KiB each",
  },
  viewersSpan: {
    pattern: "souk:v1:viewers-of:{c<shard>}:<product>:<month or day>",
    type: "string",
    ttl: "that of the tally",
    owner: "redis/counters.ts",
    bound: "that of the tallies; 12 KiB each",
  },
  viewersMerged: {
    pattern: "souk:v1:viewers-merged:{c<shard>}:<product>:<first day>:<last day>:<generation>",
    type: "string",
    ttl: "an hour",
    owner: "redis/counters-range.ts",
    bound: "ranges asked for lately of products with many viewers; 12 KiB each",
  },
  exactViewers: {
    pattern: "souk:v1:exact-viewers:{c<shard>}:<product>",
    type: "zset",
    ttl: "none",
    owner: "redis/counters.ts",
    bound: "products with 1 to 128 viewers; 128 members each",
  },
  recentViewers: {
    pattern: "souk:v1:recent-viewers:{c<shard>}:<product>",
    type: "zset",
    ttl: "COUNTERS_VIEW_MS since the last view",
    owner: "redis/counters.ts",
    bound: "products and their viewers within that time",
  },
  counterOperation: {
    pattern: "souk:v1:counter-operation:{c<shard>}:<operation>",
    type: "string",
    ttl: "COUNTERS_OPERATION_MS",
    owner: "redis/counters.ts",
    bound: "views and shares that carried an operation id within that time",
  },
  log: {
    pattern: "souk:v1:log:{<kind>:<id>}",
    type: "stream",
    ttl: "LOG_TAIL_MS since the last use",
    owner: "redis/event-log.ts, redis/event-log-tail.ts",
    bound: "logs in use; LOG_TAIL_ENTRIES entries each",
  },
  logState: {
    pattern: "souk:v1:log-state:{<kind>:<id>}",
    type: "hash",
    ttl: "LOG_TAIL_MS since the last use",
    owner: "redis/event-log.ts, redis/event-log-tail.ts",
    bound: "logs in use",
  },
  logOperation: {
    pattern: "souk:v1:log-operation:{<kind>:<id>}:<operation>",
    type: "string",
    ttl: "a day",
    owner: "redis/event-log.ts",
    bound: "appends of a day to logs that live in Redis alone",
  },
  activityDay: {
    pattern: "souk:v1:activity:{activity}:<day>",
    type: "string",
    ttl: "140 days beyond the day",
    owner: "redis/activity.ts",
    bound: "141; a bit for every user id that was ever given out",
  },
  activityLoaded: {
    pattern: "souk:v1:activity-loaded:{activity}:<day>",
    type: "string",
    ttl: "that of the day",
    owner: "redis/activity.ts",
    bound: "141",
  },
  activityUnion: {
    pattern: "souk:v1:activity-union:{activity}:<report>:<part>",
    type: "string",
    ttl: "a minute",
    owner: "redis/activity.ts",
    bound: "reports being made; some hundred parts each",
  },
  limitBucket: {
    pattern: "souk:v1:limit:{limit}:<kind>:<name>",
    type: "string",
    ttl: "until it is full again, and a second",
    owner: "redis/limiter.ts",
    bound: "clients that asked lately",
  },
  limitHold: {
    pattern: "souk:v1:limit-hold:{limit}:<operation>",
    type: "string",
    ttl: "REQUEST_TIMEOUT_MS and 5 s",
    owner: "redis/limiter.ts",
    bound: "operations of the last seconds whose cost may be given back",
  },
  topic: {
    pattern: "souk:v1:topic:<kind>:<id>",
    type: "channel",
    ttl: "-",
    owner: "redis/pubsub.ts",
    bound: "topics with a subscriber",
  },
  heartbeat: {
    pattern: "souk:v1:heartbeat:<connection>",
    type: "channel",
    ttl: "-",
    owner: "redis/heartbeat.ts, redis/tracking.ts",
    bound: "one per subscriber connection",
  },
};

/** Spells keys under one prefix. */
export type Keys = ReturnType<typeof createKeys>;

/** @param prefix put before every key; empty in production, unique per test */
export function createKeys(prefix = "") {
  const root = `${prefix}souk:v1:`;
  return {
    cacheEntry: (name: string) => `${root}cache:{${name}}`,
    cacheLease: (name: string) => `${root}lease:{${name}}`,
    cacheTag: (tag: string) => `${root}tag:{${tag}}`,
    /** What CLIENT TRACKING watches: tags and the epoch, never entries, or every fill would be broadcast to everyone. */
    cacheTagPrefix: () => `${root}tag:`,
    cacheEpoch: () => `${root}tag:{!epoch}`,
    cacheSeen: () => `${root}cache-seen`,
    cacheSeenChannel: () => `${root}cache-seen`,
    cacheFilled: () => `${root}cache-filled`,
    session: (userTag: string, id: string) => `${root}session:{${userTag}}:${id}`,
    sessions: (userTag: string) => `${root}sessions:{${userTag}}`,
    sessionEpoch: (userTag: string) => `${root}session-epoch:{${userTag}}`,
    sessionEverybody: () => `${root}session-everybody`,
    attempts: (operation: "sign-in" | "sign-up", bucket: string, id: string) => `${root}attempts:{${operation}}:${bucket}:${id}`,
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
    tally: (shard: number, product: number, span?: string) => spanned(`${root}tally`, `{c${shard}}:${product}`, span),
    viewers: (shard: number, product: number, span?: string) => spanned(`${root}viewers`, `{c${shard}}:${product}`, span),
    viewersMerged: (shard: number, product: number, range: string) => `${root}viewers-merged:{c${shard}}:${product}:${range}`,
    exactViewers: (shard: number, product: number) => `${root}exact-viewers:{c${shard}}:${product}`,
    recentViewers: (shard: number, product: number) => `${root}recent-viewers:{c${shard}}:${product}`,
    counterOperation: (shard: number, operation: string) => `${root}counter-operation:{c${shard}}:${operation}`,
    log: (kind: string, id: number | string) => `${root}log:{${kind}:${id}}`,
    logState: (kind: string, id: number | string) => `${root}log-state:{${kind}:${id}}`,
    logOperation: (kind: string, id: number | string, operation: string) => `${root}log-operation:{${kind}:${id}}:${operation}`,
    activityDay: (day: string) => `${root}activity:{activity}:${day}`,
    activityLoaded: (day: string) => `${root}activity-loaded:{activity}:${day}`,
    activityUnion: (report: string, part: string) => `${root}activity-union:{activity}:${report}:${part}`,
    limitBucket: (kind: string, name: string) => `${root}limit:{limit}:${kind}:${name}`,
    limitHold: (operation: string) => `${root}limit-hold:{limit}:${operation}`,
    topic: (kind: string, id: number | string) => `${root}topic:${kind}:${id}`,
    heartbeat: (connection: string) => `${root}heartbeat:${connection}`,
  };
}

const spanned = (thing: string, of: string, span: string | undefined): string =>
  span === undefined ? `${thing}:${of}` : `${thing}-of:${of}:${span}`;
