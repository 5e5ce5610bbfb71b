/**
 * One client in a group. Puts its operation id before every
 * frame. Keeps the newest frames that its socket could not take
 * yet.
 */

import { Stream, type StreamHooks } from "../../domain/concurrency/stream.js";
import type { AcknowledgedConnection } from "../connection/connection.js";
import { framePrefix } from "./frame.js";
import type { Flushable, SocketWriter } from "./socket-writer.js";

/** One value of the group. */
interface FrameSource {
  /** Has the value read again for a subscriber. */
  refresh(subscriber: Subscriber): void;
}

/** The group of a subscriber. */
interface Membership {
  /** Messages are wanted from now on. */
  activate(subscriber: Subscriber): void;
  release(subscriber: Subscriber): void;
}

export class Subscriber implements Flushable, StreamHooks {
  /**
   * For graphql-ws: yields nothing. Ends after the last message,
   * or fails with the source's failure.
   */
  readonly stream: Stream<never> = new Stream(this);
  private isActive = false;
  private readonly writer: SocketWriter;
  private readonly prefix: Buffer;
  /**
   * The newest waiting frame of each value; null: to be read
   * again.
   */
  private queued: Map<FrameSource, Buffer | null> | null = null;
  private whenFlushed: (() => void) | null = null;

  constructor(
    private readonly group: Membership,
    readonly connection: AcknowledgedConnection,
    { writer, id }: { readonly writer: SocketWriter; readonly id: string },
  ) {
    this.writer = writer;
    this.prefix = framePrefix(id);
  }

  /** Activates it on the first `next()` of graphql-ws. */
  onNext(): void {
    if (this.isActive) return;
    this.isActive = true;
    this.group.activate(this);
  }

  onEnd(): void {
    this.group.release(this);
  }

  /** Sends a frame, or keeps it in place of an older one. */
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

  /** Whether something waits for the socket. */
  get hasQueued(): boolean {
    return (this.queued?.size ?? 0) > 0;
  }

  /**
   * Resolves when nothing waits, or what waits is being read
   * again.
   */
  async flushed(): Promise<void> {
    if (!this.hasQueued) return;
    await new Promise<void>((resolve) => {
      this.whenFlushed = resolve;
    });
  }

  /** Ends without writing more. */
  close(): void {
    for (const value of this.queued?.keys() ?? []) this.discard(value);
    this.writer.dequeue(this);
    this.whenFlushed?.();
    this.stream.end();
  }

  /** Ends after the last frame; `failure` is the source's, if any. */
  complete(failure: { readonly error: unknown } | null): void {
    if (failure) this.stream.fail(failure.error);
    else this.stream.end();
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
