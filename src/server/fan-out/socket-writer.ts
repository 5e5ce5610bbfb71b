/**
 * The writing side of one socket: frames go out until the client stops keeping up; from then on
 * each value keeps its newest frame alone, until what was written has left.
 *
 * Memory of a stalled socket: {@link MAX_UNSENT_BYTES} and one frame in its buffer, {@link
 * MAX_HELD_BYTES} of frames that wait. A value whose frame does not fit is read again when its
 * turn comes. A socket that does not catch up in time is closed.
 */

import type { Connection } from "../connection/connection.js";
import { writeFrame } from "./frame.js";

/** With more than this unsent, nothing more is written. */
const MAX_UNSENT_BYTES = 64 * 1024;
/**
 * Frames are shared between sockets, but counted in full: a socket may be the only one that
 * still holds them.
 */
const MAX_HELD_BYTES = 64 * 1024;
/** Clients of graphql-ws come again after it. */
const TRY_AGAIN_LATER = 1013;

/** Whose newest frame waits: one subscription's part of a socket. */
export interface Flushable {
  /**
   * The socket takes frames again: hand over what was held, until it is {@link
   * SocketWriter.isFull}.
   */
  flush(): void;
}

/** One socket's writing side. */
export class SocketWriter {
  private readonly waiting = new Set<Flushable>();
  private slowTimer: NodeJS.Timeout | null = null;
  private heldBytes = 0;

  /** @param slowMs longest that a socket may stay full */
  constructor(
    private readonly connection: Pick<Connection, "socket" | "stream" | "close">,
    private readonly slowMs: number,
  ) {}

  /** Whether frames have to wait. */
  get isFull(): boolean {
    return this.slowTimer !== null;
  }

  /**
   * Writes a frame to a socket that is not full; what comes after the end of a socket is
   * dropped.
   */
  write(prefix: Buffer, payload: Buffer): void {
    const { socket, stream } = this.connection;
    if (socket.readyState !== socket.OPEN) return;
    writeFrame(stream, prefix, payload);
    if (stream.writableLength > MAX_UNSENT_BYTES) this.pause();
  }

  /** Makes room for a frame that waits; false when there is none. */
  reserve(frame: Buffer): boolean {
    if (this.heldBytes + frame.length > MAX_HELD_BYTES) return false;
    this.heldBytes += frame.length;
    return true;
  }

  /** A frame waits no more. */
  release(frame: Buffer): void {
    this.heldBytes -= frame.length;
  }

  /** Has `flush` called when the socket takes frames again. */
  enqueue(flushable: Flushable): void {
    this.waiting.add(flushable);
  }

  /** Forgets whoever waited. */
  dequeue(flushable: Flushable): void {
    this.waiting.delete(flushable);
  }

  private pause(): void {
    this.slowTimer = setTimeout(() => this.closeSlow(), this.slowMs).unref();
    // The buffer is above the stream's own mark, so it tells when all of it has left.
    this.connection.stream.once("drain", () => this.resume());
  }

  private resume(): void {
    if (this.slowTimer) clearTimeout(this.slowTimer);
    this.slowTimer = null;
    for (const waiting of this.waiting) {
      if (this.isFull) return;
      this.waiting.delete(waiting);
      waiting.flush();
    }
  }

  private closeSlow(): void {
    this.connection.close(TRY_AGAIN_LATER, "Too slow");
  }
}
