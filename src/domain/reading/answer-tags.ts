/**
 * What a stored answer depends on: the tags of its cached
 * values. Each has the version that accepted the value.
 */

/** A tag version, by the key of its tag. */
export interface VersionedTag {
  readonly key: string;
  readonly version: string;
}

/**
 * Why an answer is not stored, in words for a metric.
 * `missed`: a value was loaded, and is in no local level.
 * `stale` and `past cache` name reads.
 * `uncached`: a loader reads past the cache. `untagged`:
 * nothing was read. `changed`: a tag changed meanwhile.
 * `tags`: too many. `due`: a value is about to be loaded
 * again.
 */
export type StoreRefusal =
  | "missed"
  | "stale"
  | "past cache"
  | "uncached"
  | "untagged"
  | "changed"
  | "tags"
  | "due";

/** Follows what one answer is read from. */
export interface ReadTrace {
  /**
   * A cached value was accepted.
   * @param dueAtMs when it is to be loaded again; ms since
   * epoch, Redis clock
   */
  accept(tags: readonly VersionedTag[], dueAtMs: number): void;
  /** The answer must not be stored. The first reason counts. */
  refuse(reason: StoreRefusal): void;
}

/** Whether a stored answer may be sent. */
export type AnswerVerdict =
  | "current"
  /** A tag changed, or a value is to be loaded again. */
  | "outdated"
  /** Redis decides: see {@link AnswerTags.confirm}. */
  | "unconfirmed"
  /** Not known for this client now. */
  | "unknown";

/** The tags of one stored answer. */
export interface AnswerTags {
  readonly count: number;
  /**
   * Judges without a round trip.
   * @param seenCount of the client's consistency token
   */
  judge(seenCount: number): AnswerVerdict;
  /**
   * Reads the present versions of all tags in Redis, for an
   * answer that is "unconfirmed". "unknown" while Redis does
   * not answer.
   */
  confirm(): Promise<AnswerVerdict>;
  /** Forgets them. Once. */
  release(): void;
}

/** A trace that ends with tags, or with why there are none. */
export interface AnswerTrace extends ReadTrace {
  finish(): AnswerTags | StoreRefusal;
}

/**
 * Begins a trace. Called before the first read. Null while no
 * answer can be stored: Redis cannot be asked.
 */
export type TraceAnswer = () => AnswerTrace | null;
