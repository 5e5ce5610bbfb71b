/**
 * Follows what an answer is read from. Pins its tags in the
 * mirror of the local level.
 *
 * The answer dies with the first of them, as a local entry
 * does. The observation begins before the first read, so it
 * notices a tag that changes meanwhile.
 *
 * Without the local level nothing is reported. Then each use
 * reads the versions of all its tags, in one round trip.
 */
import { ReplyError } from "ioredis";
import { RedisUnavailable } from "../../domain/errors.js";
import type {
  AnswerTags,
  AnswerTrace,
  AnswerVerdict,
  ReadTrace,
  StoreRefusal,
  VersionedTag,
} from "../../domain/reading/answer-tags.js";
import type { ReadBatch } from "./batch.js";
import type { Values } from "./deps.js";
import { dueAtMs } from "./entry.js";
import type { CacheLink } from "./link.js";
import type { EpochObservation, LocalCache, PinnedTags } from "./local.js";
import type { KeyLookup, LookupResult } from "./lookup.js";

/** An answer with more tags is not stored. */
const MAX_ANSWER_TAGS = 2_000;

export interface AnswerTraceDeps {
  readonly local: Pick<LocalCache, "observe" | "pinAll" | "unpinAll" | "hasSeen" | "isOn">;
  readonly link: Pick<CacheLink, "usable" | "nowMs">;
  readonly readBatch: ReadBatch;
}

export class TagTrace implements AnswerTrace {
  private readonly versions = new Map<string, string>();
  private readonly observation: EpochObservation;
  private refusal: StoreRefusal | null = null;
  private dueAtMs = Number.POSITIVE_INFINITY;
  private readonly sawLocal: boolean;

  constructor(private readonly deps: AnswerTraceDeps) {
    this.observation = deps.local.observe();
    this.sawLocal = deps.local.isOn();
  }

  accept(tags: readonly VersionedTag[], dueAtMs: number): void {
    if (this.refusal) return;
    this.dueAtMs = Math.min(this.dueAtMs, dueAtMs);
    for (const { key, version } of tags) {
      const known = this.versions.get(key);
      if (known === undefined) this.versions.set(key, version);
      else if (known !== version) this.refuse("changed");
    }
    if (this.versions.size > MAX_ANSWER_TAGS) this.refuse("tags");
  }

  refuse(reason: StoreRefusal): void {
    this.refusal ??= reason;
  }

  /** Called once, whatever became of the answer. */
  finish(): AnswerTags | StoreRefusal {
    this.observation.end();
    if (this.refusal) return this.refusal;
    // Nothing would ever end an answer without tags.
    if (this.versions.size === 0) return "untagged";
    // It would end at once; a load of that value is under way.
    if (this.deps.link.nowMs() >= this.dueAtMs) return "due";
    if (!this.deps.local.isOn() && !this.sawLocal)
      return new AskedAnswer(this.deps, this.versions, this.dueAtMs);
    const tags = this.deps.local.pinAll(this.observation, this.versions);
    return tags ? new PinnedAnswer(this.deps, tags, this.dueAtMs) : "changed";
  }
}

class PinnedAnswer implements AnswerTags {
  constructor(
    private readonly deps: AnswerTraceDeps,
    private readonly tags: PinnedTags,
    private readonly dueAtMs: number,
  ) {}

  get count(): number {
    return this.tags.length;
  }

  judge(seenCount: number): AnswerVerdict {
    for (const tag of this.tags) if (!tag.alive) return "outdated";
    if (this.deps.link.nowMs() >= this.dueAtMs) return "outdated";
    return this.deps.local.hasSeen(seenCount) ? "current" : "unknown";
  }

  /** A client that has seen more is answered by execution. */
  confirm(): Promise<AnswerVerdict> {
    return Promise.resolve("unknown");
  }

  release(): void {
    this.deps.local.unpinAll(this.tags);
  }
}

/** An answer of a process without a local level. */
class AskedAnswer implements AnswerTags {
  private readonly keys: readonly string[];
  private readonly expected: readonly string[];

  constructor(
    private readonly deps: AnswerTraceDeps,
    versions: ReadonlyMap<string, string>,
    private readonly dueAtMs: number,
  ) {
    this.keys = [...versions.keys()];
    this.expected = [...versions.values()];
  }

  get count(): number {
    return this.keys.length;
  }

  judge(): AnswerVerdict {
    const { local, link } = this.deps;
    // Once the level is back, answers are stored with it.
    if (local.isOn() || link.nowMs() >= this.dueAtMs) return "outdated";
    return link.usable() ? "unconfirmed" : "unknown";
  }

  async confirm(): Promise<AnswerVerdict> {
    try {
      // Equal keys of one turn are read once.
      const present = await this.deps.readBatch(this.keys);
      return this.expected.every((version, at) => version === present[at]) ? "current" : "outdated";
    } catch (error) {
      if (error instanceof RedisUnavailable || error instanceof ReplyError) return "unknown";
      throw error;
    }
  }

  release(): void {}
}

/** The tags of a slot with their present versions. */
export const versionsOf = (
  { tagKeys }: KeyLookup<unknown>,
  current: readonly (string | null)[],
): readonly VersionedTag[] => tagKeys.map((key, index) => ({ key, version: current[index] ?? "" }));

/**
 * Traces loaded values. Each has the tags of its local entry.
 * Without one, nothing says what the value depends on.
 */
export function traceLoaded(
  trace: ReadTrace,
  local: Pick<LocalCache, "get">,
  missing: readonly LookupResult<unknown>[],
  loaded: Values<unknown>,
): void {
  for (const { slot } of missing) {
    const kept = local.get(slot.name);
    if (kept && kept.entry.value === loaded.get(slot.name))
      trace.accept(kept.tags, dueAtMs(kept.entry));
    else trace.refuse("missed");
  }
}
