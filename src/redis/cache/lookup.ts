/**
 * Looks values up in Redis and judges what comes back; what
 * may be served is kept in the local level.
 */

import type { Keys } from "../client/keys.js";
import type { ReadBatch } from "./batch.js";
import { decodeEntry, type Entry, type Freshness, fenceOf, judgeAge, judgeTags } from "./entry.js";
import type { CacheLink } from "./link.js";
import type { LocalCache } from "./local.js";
import { EPOCH_TAG, type Tags } from "./tags.js";

/**
 * One key to be read: its name in the cache and the tags it
 * depends on, the epoch first.
 */
export interface KeyLookup<K> {
  readonly key: K;
  readonly name: string;
  readonly tags: readonly string[];
  readonly tagKeys: readonly string[];
}

/** What Redis said about a slot. */
export interface LookupResult<K> {
  readonly slot: KeyLookup<K>;
  readonly entry: Entry | null;
  readonly freshness: Freshness;
  /**
   * What it was written with, served or not; 0 when there is
   * nothing.
   */
  readonly fence: number;
  /** The present versions of its tags. */
  readonly current: readonly (string | null)[];
}

export interface LookupDeps {
  readonly link: CacheLink;
  readonly keys: Keys;
  readonly tags: Tags;
  readonly local: LocalCache;
  readonly readBatch: ReadBatch;
}

export class Lookup {
  constructor(private readonly parts: LookupDeps) {}

  /**
   * A slot of a key.
   * @param tagNames what it depends on besides the epoch
   */
  slot<K>(key: K, name: string, tagNames: readonly string[]): KeyLookup<K> {
    const tags = [EPOCH_TAG, ...tagNames];
    return { key, name, tags, tagKeys: tags.map(this.parts.tags.keyOf) };
  }

  /**
   * Reads slots in their order. One round trip, shared with
   * all who read in this turn; rejects when Redis cannot be
   * asked.
   */
  async find<K>(slots: readonly KeyLookup<K>[]): Promise<LookupResult<K>[]> {
    const { keys, local, readBatch } = this.parts;
    const observation = local.observe();
    try {
      const texts = await readBatch(
        slots.flatMap(({ name, tagKeys }) => [keys.cacheEntry(name), ...tagKeys]),
      );
      let offset = 0;
      return slots.map((slot) => {
        const from = offset;
        offset += 1 + slot.tagKeys.length;
        const found = this.judge(slot, texts[from] ?? null, texts.slice(from + 1, offset));
        if (found.entry)
          local.put(observation, {
            name: slot.name,
            tagKeys: slot.tagKeys,
            entry: found.entry,
            current: found.current,
          });
        return found;
      });
    } finally {
      observation.end();
    }
  }

  private judge<K>(
    slot: KeyLookup<K>,
    text: string | null,
    current: readonly (string | null)[],
  ): LookupResult<K> {
    const entry = decodeEntry(text);
    const freshness = entry
      ? judgeAge(entry, judgeTags(entry, current), this.parts.link.nowMs())
      : "dead";
    return {
      slot,
      entry: freshness === "dead" ? null : entry,
      freshness,
      fence: fenceOf(text),
      current,
    };
  }
}
