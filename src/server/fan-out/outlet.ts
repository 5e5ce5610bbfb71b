/**
 * The writing side of one socket: frames go out until the client stops keeping up; from then on
 * each value keeps its newest frame alone, until what was written has left.
 *
 * Memory of a stalled socket: {@link MAX_UNSENT_BYTES} and one frame in its buffer, {@link
 * MAX_HELD_BYTES} of frames that wait. A value whose frame does not fit is read again when its turn
 * comes. A socket that does not catch up in time is closed.
 */

import type { Peer } from "../connection/connection.js";
import { writeFrame } from "./frame.js";

/** With more than this unsent, nothing more is written. */
const MAX_UNSENT_BYTES = 64 * 1024;
/**
 * Frames are shared between sockets, but counted in full: a socket may be the only one that still
 * holds them.
 */
const MAX_HELD_BYTES = 64 * 1024;
/** Clients of graphql-ws come again after it. */
const TRY_AGAIN_LATER = 1013;

/** Whose newest frame waits: one subscription's part of a socket. */
export interface Waiting {
  /** The socket takes frames again: hand over what was held, until it is {@link Outlet.full}. */
  flush(): void;
}

/** One socket's writing side. */
export class Outlet {
  private readonly waiting = new Set<Waiting>();
  private slow: NodeJS.Timeout | null = null;
  private heldBytes = 0;

  /** @param slowMs longest that a socket may stay full */
  constructor(
    private readonly peer: Pick<Peer, "socket" | "connection" | "close">,
    private readonly slowMs: number,
  ) {}

  /** Whether frames have to wait. */
  get full(): boolean {
    return this.slow !== null;
  }

  /**
   * Writes a frame to a socket that is not full; what comes after the end of a socket is dropped.
   */
  write(head: Buffer, tail: Buffer): void {
    const { socket, connection } = this.peer;
    if (socket.readyState !== socket.OPEN) return;
    writeFrame(connection, head, tail);
    if (connection.writableLength > MAX_UNSENT_BYTES) this.fill();
  }

  /** Makes room for a frame that waits; false when there is none. */
  hold(frame: Buffer): boolean {
    if (this.heldBytes + frame.length > MAX_HELD_BYTES) return false;
    this.heldBytes += frame.length;
    return true;
  }

  /** A frame waits no more. */
  release(frame: Buffer): void {
    this.heldBytes -= frame.length;
  }

  /** Has `flush` called when the socket takes frames again. */
  await(waiting: Waiting): void {
    this.waiting.add(waiting);
  }

  /** Forgets whoever waited. */
  forget(waiting: Waiting): void {
    this.waiting.delete(waiting);
  }

  private fill(): void {
    this.slow = setTimeout(() => this.giveUp(), this.slowMs).unref();
    // The buffer is above the stream's own mark, so it tells when all of it has left.
    this.peer.connection.once("drain", () => this.drained());
  }

  private drained(): void {
    if (this.slow) clearTimeout(this.slow);
    this.slow = null;
    for (const waiting of this.waiting) {
      if (this.full) return;
      this.waiting.delete(waiting);
      waiting.flush();
    }
  }

  private giveUp(): void {
    this.peer.close(TRY_AGAIN_LATER, "Too slow");
  }
}
