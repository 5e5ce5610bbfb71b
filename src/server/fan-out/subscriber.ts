/**
 * One client's part in a group: its operation id in front of every frame, and the newest frames
 * that its socket could not take yet.
 */

import type { AcknowledgedConnection } from "../connection/connection.js";
import { framePrefix } from "./frame.js";
import type { Flushable, SocketWriter } from "./socket-writer.js";

/** One value of the group. */
interface FrameSource {
  /** Has the value read again for a subscriber. */
  refresh(subscriber: Subscriber): void;
}

/** A subscription that is served by a group. */
export class Subscriber implements Flushable {
  /** Resolves when no message will follow; rejects with what broke the source. */
  readonly done: Promise<void>;
  private resolveDone: () => void = () => {};
  private rejectDone: (error: unknown) => void = () => {};
  private readonly prefix: Buffer;
  /** By value: the newest frame that waits, or null where it is to be read again. */
  private queued: Map<FrameSource, Buffer | null> | null = null;
  private whenFlushed: (() => void) | null = null;

  constructor(
    readonly connection: AcknowledgedConnection,
    private readonly writer: SocketWriter,
    operationId: string,
  ) {
    this.prefix = framePrefix(operationId);
    this.done = new Promise((resolve, reject) => {
      this.resolveDone = resolve;
      this.rejectDone = reject;
    });
    // Whoever iterates hears of it; before that nobody is to be told.
    this.done.catch(() => {});
  }

  /** Sends a frame of a value, or keeps it in the place of an older one. */
  send(value: FrameSource, frame: Buffer): void {
    this.discard(value);
    if (this.writer.isFull) this.queue(value, frame);
    else this.writer.write(this.prefix, frame);
  }

  flush(): void {
    for (const [value, frame] of this.queued ?? []) {
      if (this.writer.isFull) {
        this.writer.enqueue(this);
        return;
      }
      this.discard(value);
      if (frame === null) value.refresh(this);
      else this.writer.write(this.prefix, frame);
    }
    this.whenFlushed?.();
  }

  /** Whether something waits for its socket. */
  get hasQueued(): boolean {
    return (this.queued?.size ?? 0) > 0;
  }

  /** Resolves when nothing waits any more, or what does is being read again. */
  async flushed(): Promise<void> {
    if (!this.hasQueued) return;
    await new Promise<void>((resolve) => {
      this.whenFlushed = resolve;
    });
  }

  /** Nothing is written any more. */
  close(): void {
    for (const value of this.queued?.keys() ?? []) this.discard(value);
    this.writer.dequeue(this);
    this.whenFlushed?.();
    this.resolveDone();
  }

  /** Everything was written; `failure` is what broke the source, if anything did. */
  complete(failure: { readonly error: unknown } | null): void {
    if (failure) this.rejectDone(failure.error);
    else this.resolveDone();
  }

  private queue(value: FrameSource, frame: Buffer): void {
    this.queued ??= new Map();
    this.queued.set(value, this.writer.reserve(frame) ? frame : null);
    this.writer.enqueue(this);
  }

  private discard(value: FrameSource): void {
    const frame = this.queued?.get(value);
    if (frame) this.writer.release(frame);
    this.queued?.delete(value);
  }
}
