/**
 * Batches all cache reads of one turn of the event loop into
 * one round trip. Reads of any loader or request join. So a
 * query costs one round trip per level of its tree.
 */

import { inOneTurn, readStrings } from "../client/connect.js";
import type { CacheLink } from "./link.js";

/**
 * Reads strings; missing keys are null. Rejects as {@link
 * CacheLink.run} does.
 */
export type ReadBatch = (keys: readonly string[]) => Promise<(string | null)[]>;

/** A round trip that has not left yet. */
interface PendingBatch {
  readonly places: Map<string, number>;
  readonly reply: Promise<(string | null)[]>;
}

export function createReadBatch(link: CacheLink): ReadBatch {
  let open: PendingBatch | null = null;
  const send = (keys: readonly string[]) =>
    link.run("read", () => inOneTurn(link.connection, () => readStrings(link.connection, keys)));
  const begin = (): PendingBatch => {
    const places = new Map<string, number>();
    const reply = new Promise<(string | null)[]>((resolve, reject) => {
      setImmediate(() => {
        open = null;
        send([...places.keys()]).then(resolve, reject);
      });
    });
    return { places, reply };
  };
  return async (keys) => {
    open ??= begin();
    const { places, reply } = open;
    const indexes = keys.map((key) => placeOf(places, key));
    const values = await reply;
    return indexes.map((index) => values[index] ?? null);
  };
}

function placeOf(places: Map<string, number>, key: string): number {
  const place = places.get(key) ?? places.size;
  places.set(key, place);
  return place;
}
