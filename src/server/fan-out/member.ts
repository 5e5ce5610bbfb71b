/**
 * One client's part in a group: its operation id in front of every frame, and the newest frames
 * that its socket could not take yet.
 */

import type { WelcomedPeer } from "../connection/connection.js";
import { headOf } from "./frame.js";
import type { Outlet, Waiting } from "./outlet.js";

/** One value of the group. */
interface FrameSource {
  /** Has the value read again for a member. */
  join(member: Member): void;
}

/** A subscription that is served by a group. */
export class Member implements Waiting {
  /** Resolves when no message will follow; rejects with what broke the source. */
  readonly over: Promise<void>;
  private finish: () => void = () => {};
  private break: (error: unknown) => void = () => {};
  private readonly head: Buffer;
  /** By value: the newest frame that waits, or null where it is to be read again. */
  private held: Map<FrameSource, Buffer | null> | null = null;
  private whenFlushed: (() => void) | null = null;

  constructor(
    readonly peer: WelcomedPeer,
    private readonly outlet: Outlet,
    operationId: string,
  ) {
    this.head = headOf(operationId);
    this.over = new Promise((resolve, reject) => {
      this.finish = resolve;
      this.break = reject;
    });
    // Whoever iterates hears of it; before that nobody is to be told.
    this.over.catch(() => {});
  }

  /** Sends a frame of a value, or keeps it in the place of an older one. */
  offer(lane: FrameSource, frame: Buffer): void {
    this.drop(lane);
    if (this.outlet.full) this.keep(lane, frame);
    else this.outlet.write(this.head, frame);
  }

  flush(): void {
    for (const [lane, frame] of this.held ?? []) {
      if (this.outlet.full) {
        this.outlet.await(this);
        return;
      }
      this.drop(lane);
      if (frame === null) lane.join(this);
      else this.outlet.write(this.head, frame);
    }
    this.whenFlushed?.();
  }

  /** Whether something waits for its socket. */
  get waits(): boolean {
    return (this.held?.size ?? 0) > 0;
  }

  /** Resolves when nothing waits any more, or what does is being read again. */
  async flushed(): Promise<void> {
    if (!this.waits) return;
    await new Promise<void>((resolve) => {
      this.whenFlushed = resolve;
    });
  }

  /** Nothing is written any more. */
  leave(): void {
    for (const lane of this.held?.keys() ?? []) this.drop(lane);
    this.outlet.forget(this);
    this.whenFlushed?.();
    this.finish();
  }

  /** Everything was written; `failure` is what broke the source, if anything did. */
  end(failure: { readonly error: unknown } | null): void {
    if (failure) this.break(failure.error);
    else this.finish();
  }

  private keep(lane: FrameSource, frame: Buffer): void {
    this.held ??= new Map();
    this.held.set(lane, this.outlet.hold(frame) ? frame : null);
    this.outlet.await(this);
  }

  private drop(lane: FrameSource): void {
    const frame = this.held?.get(lane);
    if (frame) this.outlet.release(frame);
    this.held?.delete(lane);
  }
}
