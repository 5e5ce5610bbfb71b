/**
 * Single-flight in the process: callers with the same id
 * share one load. The id says what must be equal for that. A
 * load that may be too old for its id is forgotten.
 */

export interface LoadKey {
  readonly name: string;
  readonly tagKeys: readonly string[];
}

interface Flight {
  readonly value: Promise<unknown>;
  readonly tagKeys: readonly string[];
}

/** Loads under way, by id. */
export class LoadSharing {
  private readonly flights = new Map<string, Flight>();

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
    const mine = slots.filter((_, index) => !this.flights.has(ids[index] as string));
    if (mine.length > 0) this.launch(mine, idOf, start(mine));
    return Promise.all(ids.map((id) => (this.flights.get(id) as Flight).value as Promise<V>));
  }

  /**
   * No load of these tags under way is joined any more: it may
   * have begun before they changed.
   */
  forget(tagKeys: readonly string[]): void {
    const changed = new Set(tagKeys);
    for (const [id, { tagKeys: own }] of this.flights)
      if (own.some((key) => changed.has(key))) this.flights.delete(id);
  }

  /** Loads under way. */
  get size(): number {
    return this.flights.size;
  }

  private launch<S extends LoadKey, V>(
    mine: readonly S[],
    idOf: (slot: S) => string,
    work: Promise<readonly V[]>,
  ): void {
    for (const [index, slot] of mine.entries()) {
      const id = idOf(slot);
      const flight = { value: work.then((values) => values[index]), tagKeys: slot.tagKeys };
      const end = () => this.flights.get(id) === flight && this.flights.delete(id);
      flight.value.then(end, end);
      this.flights.set(id, flight);
    }
  }
}
