/**
 * Frames of one turn of the event loop leave in one write to each
 * socket: streams are corked at the first, and uncorked at the end
 * of the turn.
 */
import type { Duplex } from "node:stream";

/** The streams written in this turn. */
export class WriteTurn {
  private readonly corked = new Set<Duplex>();

  /** Has what is written leave at the end of the turn. */
  collect(stream: Duplex): void {
    if (this.corked.has(stream)) return;
    if (this.corked.size === 0) setImmediate(() => this.flushAll());
    this.corked.add(stream);
    stream.cork();
  }

  /** Has it leave now. */
  flush(stream: Duplex): void {
    if (this.corked.delete(stream)) stream.uncork();
  }

  private flushAll(): void {
    for (const stream of this.corked) this.flush(stream);
  }
}
