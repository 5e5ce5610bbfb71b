/**
 * Writes frames to one socket, those of one turn in one write.
 * Conflates when the client falls behind: each value keeps only its
 * newest frame until the buffer drains.
 *
 * The buffer of a stalled socket takes {@link MAX_UNSENT_BYTES}
 * and one frame. Waiting frames take at most
 * {@link MAX_HELD_BYTES}. A frame that does not fit is read
 * again later. A socket that stays full is closed.
 */

import type { Connection } from "../connection/connection.js";
import { writeFrame } from "./frame.js";
import { WriteTurn } from "./write-turn.js";

/** Above this, nothing more is written. */
const MAX_UNSENT_BYTES = 64 * 1024;
/**
 * Shared frames count in full: this socket may be the last
 * holder.
 */
const MAX_HELD_BYTES = 64 * 1024;
/** graphql-ws clients reconnect after it. */
const CLOSE_TRY_AGAIN = 1013;

/** One subscription of a socket. */
export interface Flushable {
  /** Hands over waiting frames until {@link SocketWriter.isFull}. */
  flush(): void;
}

export class SocketWriter {
  /** Null until the socket has been full: most never are. */
  private waiting: Set<Flushable> | null = null;
  private slowTimer: NodeJS.Timeout | null = null;
  private heldBytes = 0;

  /**
   * @param slowMs longest that a socket may stay full
   * @param turn shared by the sockets of a process
   */
  constructor(
    private readonly connection: Pick<Connection, "socket" | "stream" | "close">,
    private readonly slowMs: number,
    private readonly turn: WriteTurn = new WriteTurn(),
  ) {}

  /** Whether frames have to wait. */
  get isFull(): boolean {
    return this.slowTimer !== null;
  }

  /** Writes to a socket that is not full; drops after its end. */
  write(prefix: Buffer, payload: Buffer): void {
    const { socket, stream } = this.connection;
    if (socket.readyState !== socket.OPEN) return;
    this.turn.collect(stream);
    writeFrame(stream, prefix, payload);
    if (stream.writableLength <= MAX_UNSENT_BYTES) return;
    // The system may take them: only then the socket is not slow.
    this.turn.flush(stream);
    if (stream.writableLength > MAX_UNSENT_BYTES) this.pause();
  }

  /**
   * Reserves memory for a waiting frame; false when there is
   * none.
   */
  reserve(frame: Buffer): boolean {
    if (this.heldBytes + frame.length > MAX_HELD_BYTES) return false;
    this.heldBytes += frame.length;
    return true;
  }

  /** Frees the memory of a frame. */
  release(frame: Buffer): void {
    this.heldBytes -= frame.length;
  }

  /** Has `flush` called when the socket has drained. */
  enqueue(flushable: Flushable): void {
    this.waiting ??= new Set();
    this.waiting.add(flushable);
  }

  dequeue(flushable: Flushable): void {
    this.waiting?.delete(flushable);
  }

  private pause(): void {
    this.slowTimer = setTimeout(() => this.closeSlow(), this.slowMs).unref();
    // The buffer is above the stream's high-water mark, so it
    // emits `drain`.
    this.connection.stream.once("drain", () => this.resume());
  }

  private resume(): void {
    if (this.slowTimer) clearTimeout(this.slowTimer);
    this.slowTimer = null;
    for (const waiting of this.waiting ?? []) {
      if (this.isFull) return;
      this.dequeue(waiting);
      waiting.flush();
    }
  }

  private closeSlow(): void {
    this.connection.close(CLOSE_TRY_AGAIN, "Too slow");
  }
}
