/**
 * Follows what an answer is read from. Pins its tags in the
 * mirror of the local level.
 *
 * The answer dies with the first of them, as a local entry
 * does. The observation begins before the first read, so it
 * notices a tag that changes meanwhile.
 */
import type {
  AnswerTags,
  AnswerTrace,
  AnswerVerdict,
  ReadTrace,
  StoreRefusal,
  VersionedTag,
} from "../../domain/reading/answer-tags.js";
import type { Values } from "./deps.js";
import { dueAtMs } from "./entry.js";
import type { EpochObservation, LocalCache, PinnedTags } from "./local.js";
import type { KeyLookup, LookupResult } from "./lookup.js";

/** An answer with more tags is not stored. */
const MAX_ANSWER_TAGS = 2_000;

export interface AnswerTraceDeps {
  readonly local: Pick<LocalCache, "observe" | "pinAll" | "unpinAll" | "hasSeen">;
  /** Ms since epoch by the Redis clock. */
  readonly nowMs: () => number;
}

export class TagTrace implements AnswerTrace {
  private readonly versions = new Map<string, string>();
  private readonly observation: EpochObservation;
  private refusal: StoreRefusal | null = null;
  private dueAtMs = Number.POSITIVE_INFINITY;

  constructor(private readonly deps: AnswerTraceDeps) {
    this.observation = deps.local.observe();
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
    if (this.deps.nowMs() >= this.dueAtMs) return "due";
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
    if (this.deps.nowMs() >= this.dueAtMs) return "outdated";
    return this.deps.local.hasSeen(seenCount) ? "current" : "unknown";
  }

  release(): void {
    this.deps.local.unpinAll(this.tags);
  }
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
