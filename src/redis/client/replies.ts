/**
 * Waits for replies with a deadline. The first late reply
 * ends every wait.
 */

/** No reply came in time; the command may have run. */
export class LateReply extends Error {}

/** Another reply did not come in time. */
export class OtherReplyLate extends LateReply {
  override readonly message = "another reply was late";
}

interface PendingReply {
  readonly reject: (error: Error) => void;
  /** On the monotonic clock, in ms. */
  readonly dueMs: number;
}

/** The replies that one structure waits for. */
export class PendingReplies {
  /** The first is due first. */
  private readonly waiting = new Set<PendingReply>();
  /** One for all: most replies come long before. */
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly deadlineMs: number) {}

  /**
   * The reply. Rejects with LateReply after the deadline, or
   * when another reply is late.
   */
  wait<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = { reject, dueMs: performance.now() + this.deadlineMs };
      this.waiting.add(wait);
      if (this.timer === null) this.watchFor(this.deadlineMs);
      reply.then(
        (value) => {
          this.waiting.delete(wait);
          resolve(value);
        },
        (error: unknown) => {
          this.waiting.delete(wait);
          reject(error);
        },
      );
    });
  }

  /** Ends every wait: Redis has fallen silent. */
  giveUp(): void {
    for (const { reject } of this.waiting) reject(new OtherReplyLate());
    this.waiting.clear();
  }

  private watchFor(ms: number): void {
    // A connection that is open keeps its process running.
    this.timer = setTimeout(this.onDue, ms).unref();
  }

  /**
   * A reply that arrived while this process was busy is still
   * read: hence the two turns.
   */
  private readonly onDue = (): void => {
    const nowMs = performance.now();
    setImmediate(() => setImmediate(() => this.endLate(nowMs)));
  };

  /**
   * One in a turn: the first may end all others, or answer
   * them.
   */
  private endLate(nowMs: number): void {
    const [first] = this.waiting;
    if (!first) {
      this.timer = null;
      return;
    }
    if (first.dueMs > nowMs) {
      this.watchFor(first.dueMs - performance.now());
      return;
    }
    this.waiting.delete(first);
    first.reject(new LateReply(`no reply within ${this.deadlineMs} ms`));
    setImmediate(() => this.endLate(nowMs));
  }
}
