/**
 * A family of keys or channels: how its keys are spelled, and
 * what operators need to know of it. docs/keys.md is written
 * from these specs, and so are the rights of docs/redis-acl.md.
 */

/**
 * Starts every key. `v1` changes when the shape of any value
 * changes.
 */
export const NAMESPACE = "souk:v1:";

export interface KeySpec {
  /**
   * The key after {@link NAMESPACE}. Each `<…>` takes one
   * argument. The braces are the Cluster hash tag: keys that share
   * it may be used by one script.
   */
  readonly key: string;
  readonly type: "string" | "hash" | "zset" | "set" | "stream" | "channel";
  /** Lifetime in words; "none" for keys that stay, "-" for channels. */
  readonly ttl: string;
  /**
   * The files that write it, below `src`, where they are not the
   * subject's owner.
   */
  readonly owner?: string;
  /** What bounds its number and size. */
  readonly bound: string;
  /**
   * Redis may evict it: a miss costs a read of Postgres, or one
   * repetition by the client.
   */
  readonly evictable?: true;
  /** What a value looks like, as Markdown. */
  readonly value?: string;
  /** What follows when an operator deletes it, as Markdown. */
  readonly deleted?: string;
}

export type KeySpecs = Readonly<Record<string, KeySpec>>;

/** All families of one subject. */
export interface KeySubject {
  /** Its folder in `src/redis`, which holds its scripts. */
  readonly folder: string;
  /** Its heading in docs/keys.md. */
  readonly title: string;
  /** The file that writes its families, below `src`. */
  readonly owner: string;
  /**
   * Commands sent outside scripts, as ACL rules name them; those
   * of scripts are read there.
   */
  readonly commands: readonly string[];
  readonly families: KeySpecs;
}

/** One argument for each `<…>`. */
type KeyArguments<Key extends string> = Key extends `${infer _Before}<${infer _Name}>${infer Rest}`
  ? [part: string | number, ...KeyArguments<Rest>]
  : [];

/** One method per family, which builds its keys. */
export type KeysOf<Specs extends KeySpecs> = {
  readonly [Family in keyof Specs]: (...parts: KeyArguments<Specs[Family]["key"]>) => string;
};

/**
 * @param prefix put before every key; empty in production,
 * unique per test
 */
export function keysOf<Specs extends KeySpecs>(prefix: string, specs: Specs): KeysOf<Specs> {
  const builders = Object.entries(specs).map(([family, { key }]) => [
    family,
    builderOf(`${prefix}${NAMESPACE}`, key),
  ]);
  return Object.fromEntries(builders) as KeysOf<Specs>;
}

function builderOf(start: string, key: string): (...parts: (string | number)[]) => string {
  const [first = "", ...rest] = key.split(/<[^>]+>/);
  const head = start + first;
  return (...parts) => {
    let built = head;
    for (let at = 0; at < rest.length; at++) built += `${parts[at]}${rest[at]}`;
    return built;
  };
}
