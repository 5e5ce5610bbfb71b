/**
 * Single-flight: callers of one key share the work that is
 * under way for it.
 *
 * A key stays joinable until its work settles, or until
 * `forget`. A new caller never joins forgotten work, which
 * may be too old for it. Memory: one entry per key under way.
 */

/** Work under way, by key. */
export class SingleFlight<V, K = string> {
  private readonly flights = new Map<K, Promise<V>>();

  /** Work that can be joined. */
  get size(): number {
    return this.flights.size;
  }

  has(key: K): boolean {
    return this.flights.has(key);
  }

  /** The work under way for a key. */
  get(key: K): Promise<V> | undefined {
    return this.flights.get(key);
  }

  /** Joins the work of a key, or starts it, at once. */
  run(key: K, work: () => Promise<V>): Promise<V> {
    const joined = this.flights.get(key);
    if (joined) return joined;
    const flight = work();
    const land = () => this.flights.get(key) === flight && this.flights.delete(key);
    this.flights.set(key, flight);
    flight.then(land, land);
    return flight;
  }

  /** The next caller starts anew; joined callers keep their answer. */
  forget(key: K): void {
    this.flights.delete(key);
  }
}
