/**
 * The local cache level: entries in this process, bounded
 * in bytes. Beside them is a mirror of the tag versions
 * that they depend on.
 *
 * An entry points at the mirrored versions of its tags. It
 * is served only while all of them live. A version dies the
 * moment Redis reports that its tag changed
 * (redis/cache/tracking.ts). So an invalidation costs
 * O(tags), and a read compares no versions. The level is
 * off whenever that report is uncertain. It starts empty
 * each time it comes on.
 */
import { LRUCache } from "lru-cache";
import { type Entry, judgeTags } from "./entry.js";
import type { TagVerdict } from "./tags.js";

/**
 * A read in progress: remembers which tags changed meanwhile.
 * What it read about them may be older than the change.
 */
export interface EpochObservation {
  touched(key: string): boolean;
  end(): void;
}

/**
 * A tag version that entries depend on. Never changes: a tag
 * that does gets another one.
 */
interface MirroredTag {
  readonly key: string;
  readonly version: string;
  alive: boolean;
  /** Entries that point at it. */
  uses: number;
}

/** Tags that an answer depends on; see {@link LocalCache.pinAll}. */
export type PinnedTags = readonly MirroredTag[];

/** An entry of this level. */
export interface LocalEntry {
  readonly entry: Entry;
  readonly tags: readonly MirroredTag[];
  /**
   * How its tags compared with their present versions. Holds
   * for as long as those live.
   */
  readonly verdict: TagVerdict;
}

/**
 * What is put here: an entry with the present versions of
 * its tags, as read along with it.
 */
export interface LocalPut {
  readonly name: string;
  readonly tagKeys: readonly string[];
  readonly entry: Entry;
  readonly current: readonly (string | null)[];
}

/**
 * What an entry costs beyond its text: its name, the parsed
 * objects' headers, its place in the maps.
 */
const ENTRY_BYTES = 512;
/** What it adds for each tag. */
const TAG_BYTES = 96;
/** UTF-16, and about as much again for the parsed value. */
const BYTES_PER_CHARACTER = 4;

export class LocalCache {
  private readonly entries: LRUCache<string, LocalEntry>;
  private readonly mirror = new Map<string, MirroredTag>();
  private readonly observations = new Set<{ keys: Set<string>; all: boolean }>();
  private on = false;
  private seen = 0;

  /**
   * @param options.maxBytes size of the level; 0 turns it off
   * for good
   */
  constructor(private readonly options: { readonly maxBytes: number }) {
    this.entries = new LRUCache<string, LocalEntry>({
      maxSize: Math.max(1, options.maxBytes),
      sizeCalculation: ({ entry, tags }) =>
        entry.size * BYTES_PER_CHARACTER + ENTRY_BYTES + tags.length * TAG_BYTES,
      dispose: (local) => this.unpin(local),
    });
  }

  /**
   * True when the level has processed every invalidation up to
   * `count`.
   */
  hasSeen(count: number): boolean {
    return this.on && this.seen >= count;
  }

  /** Begins a read whose result may be put here. */
  observe(): EpochObservation {
    const observation = { keys: new Set<string>(), all: !this.on };
    this.observations.add(observation);
    return {
      touched: (key) => observation.all || observation.keys.has(key),
      end: () => void this.observations.delete(observation),
    };
  }

  /** An entry whose tags have not changed. */
  get(name: string): LocalEntry | undefined {
    const local = this.entries.get(name);
    if (local === undefined) return undefined;
    for (const tag of local.tags) {
      if (!tag.alive) {
        this.entries.delete(name);
        return undefined;
      }
    }
    return local;
  }

  /**
   * Keeps an entry, unless one of its tags changed since the
   * observation began.
   */
  put(observation: EpochObservation, { name, tagKeys, entry, current }: LocalPut): void {
    if (
      !this.on ||
      tagKeys.some((key, index) => typeof current[index] !== "string" || observation.touched(key))
    )
      return;
    const verdict = judgeTags(entry, current);
    if (verdict === "dead") return;
    const local = {
      entry,
      verdict,
      tags: tagKeys.map((key, index) => this.pin(key, current[index] as string)),
    };
    this.entries.set(name, local);
    // One that is larger than the whole level is not kept.
    if (this.entries.peek(name) !== local) this.unpin(local);
  }

  /**
   * Pins the tags of an answer, as the observation of its reads
   * began before them. Null where one changed since, or has
   * another version by now.
   */
  pinAll(observation: EpochObservation, versions: ReadonlyMap<string, string>): PinnedTags | null {
    if (!this.on) return null;
    for (const [key, version] of versions) {
      const mirrored = this.mirror.get(key);
      if (observation.touched(key) || (mirrored && mirrored.version !== version)) return null;
    }
    return [...versions].map(([key, version]) => this.pin(key, version));
  }

  /** Gives pinned tags back. */
  unpinAll(tags: PinnedTags): void {
    this.unpin({ tags });
  }

  /** Forgets tags that changed; null: any of them may have. */
  forget(keys: readonly string[] | null): void {
    if (keys === null) {
      this.clear();
      return;
    }
    for (const key of keys) this.kill(key);
    for (const observation of this.observations) for (const key of keys) observation.keys.add(key);
  }

  /**
   * Notes that every invalidation up to `count` has been
   * processed.
   */
  noteSeen(count: number): void {
    this.seen = Math.max(this.seen, count);
  }

  /**
   * Comes on, empty.
   * @param count the last invalidation before anything that
   * will be put here is read
   */
  enable(count: number): void {
    this.clear();
    this.noteSeen(count);
    this.on = this.hasRoom();
  }

  /** Goes off and forgets everything. */
  disable(): void {
    this.on = false;
    this.clear();
  }

  /**
   * False when it has no room at all: then nothing need be
   * tracked for it.
   */
  hasRoom(): boolean {
    return this.options.maxBytes > 0;
  }

  /** True while it serves. */
  isOn(): boolean {
    return this.on;
  }

  /** What it holds now. */
  size(): {
    readonly entries: number;
    readonly bytes: number;
    readonly tags: number;
    readonly observations: number;
  } {
    const { size, calculatedSize } = this.entries;
    return {
      entries: size,
      bytes: calculatedSize,
      tags: this.mirror.size,
      observations: this.observations.size,
    };
  }

  private clear(): void {
    // Stored answers hold tags of their own.
    for (const tag of this.mirror.values()) tag.alive = false;
    this.entries.clear();
    this.mirror.clear();
    for (const observation of this.observations) observation.all = true;
  }

  /**
   * A newer version than the mirrored one: its report is on
   * its way, so dependants die now.
   */
  private pin(key: string, version: string): MirroredTag {
    let tag = this.mirror.get(key);
    if (tag?.version !== version) {
      this.kill(key);
      tag = { key, version, alive: true, uses: 0 };
      this.mirror.set(key, tag);
    }
    tag.uses += 1;
    return tag;
  }

  private unpin({ tags }: Pick<LocalEntry, "tags">): void {
    for (const tag of tags) {
      tag.uses -= 1;
      if (tag.uses === 0 && this.mirror.get(tag.key) === tag) this.mirror.delete(tag.key);
    }
  }

  private kill(key: string): void {
    const tag = this.mirror.get(key);
    if (tag === undefined) return;
    tag.alive = false;
    this.mirror.delete(key);
  }
}
