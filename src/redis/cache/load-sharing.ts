/**
 * Loads under way, shared in the process by their id. The id
 * says what must be equal for that. A load that may be too
 * old for its id is forgotten.
 */
import { SingleFlight } from "../../domain/concurrency/single-flight.js";

export interface LoadKey {
  readonly name: string;
  readonly tagKeys: readonly string[];
}

/** A single-flight of slots, and the tags of each load in it. */
export class LoadSharing {
  private readonly loads = new SingleFlight<unknown>();
  private readonly tagsOf = new Map<string, readonly string[]>();

  /**
   * Joins what is under way and starts the rest as one piece
   * of work.
   * @param start loads the rest; resolves to values in the
   * order asked
   */
  join<S extends LoadKey, V>(
    slots: readonly S[],
    idOf: (slot: S) => string,
    start: (mine: readonly S[]) => Promise<readonly V[]>,
  ): Promise<V[]> {
    const ids = slots.map(idOf);
    const mine = slots.filter((_, index) => !this.loads.has(ids[index] as string));
    if (mine.length > 0) this.launch(mine, idOf, start(mine));
    return Promise.all(ids.map((id) => this.loads.get(id) as Promise<V>));
  }

  /**
   * No load of these tags under way is joined any more: it may
   * have begun before they changed.
   */
  forget(tagKeys: readonly string[]): void {
    const changed = new Set(tagKeys);
    for (const [id, own] of this.tagsOf) if (own.some((key) => changed.has(key))) this.drop(id);
  }

  /** Loads under way. */
  get size(): number {
    return this.loads.size;
  }

  private launch<S extends LoadKey, V>(
    mine: readonly S[],
    idOf: (slot: S) => string,
    work: Promise<readonly V[]>,
  ): void {
    for (const [index, slot] of mine.entries()) {
      const id = idOf(slot);
      const value = this.loads.run(id, () => work.then((values) => values[index]));
      this.tagsOf.set(id, slot.tagKeys);
      // After the single-flight's own end: a load that took
      // the id since keeps its tags.
      const end = () => this.loads.has(id) || this.tagsOf.delete(id);
      value.then(end, end);
    }
  }

  private drop(id: string): void {
    this.loads.forget(id);
    this.tagsOf.delete(id);
  }
}
