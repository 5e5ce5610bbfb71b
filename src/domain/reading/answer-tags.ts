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
 * `tags`: too many. `level off`: no tag is mirrored now.
 */
export type StoreRefusal =
  | "missed"
  | "stale"
  | "past cache"
  | "uncached"
  | "untagged"
  | "changed"
  | "tags"
  | "level off";

/** Follows what one answer is read from. */
export interface ReadTrace {
  /**
   * A cached value was accepted.
   * @param freshUntilMs ms since epoch, Redis clock
   */
  accept(tags: readonly VersionedTag[], freshUntilMs: number): void;
  /** The answer must not be stored. The first reason counts. */
  refuse(reason: StoreRefusal): void;
}

/** Whether a stored answer may be sent. */
export type AnswerVerdict =
  | "current"
  /** A tag changed, or a value is no longer fresh. */
  | "outdated"
  /** Unknown to this process for a client that has seen more. */
  | "unknown";

/** The tags of one stored answer. */
export interface AnswerTags {
  readonly count: number;
  /**
   * Judges without a round trip.
   * @param seenCount of the client's consistency token
   */
  judge(seenCount: number): AnswerVerdict;
  /** Forgets them. Once. */
  release(): void;
}

/** A trace that ends with tags, or with why there are none. */
export interface AnswerTrace extends ReadTrace {
  finish(): AnswerTags | StoreRefusal;
}

/** Begins a trace. Called before the first read. */
export type TraceAnswer = () => AnswerTrace;
