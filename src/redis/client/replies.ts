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
  /** On the monotonic clock, in ms; null before it was sent. */
  dueMs: number | null;
}

/** The replies that one structure waits for. */
export class PendingReplies {
  /** The first is due first. */
  private readonly waiting = new Set<PendingReply>();
  /** Of this turn: they leave at its end. */
  private unsent: PendingReply[] = [];
  /** One for all: most replies come long before. */
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly deadlineMs: number) {}

  /**
   * The reply to what this turn of the event loop sends.
   * Rejects with LateReply after the deadline, or when another
   * reply is late.
   */
  wait<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait: PendingReply = { reject, dueMs: null };
      this.waiting.add(wait);
      // Commands leave in one that was queued earlier.
      if (this.unsent.length === 0) setImmediate(this.onSent);
      this.unsent.push(wait);
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

  /**
   * What is asked for while a turn ends leaves in the next:
   * hence one more.
   */
  private readonly onSent = (): void => {
    const { unsent } = this;
    this.unsent = [];
    setImmediate(() => {
      const dueMs = performance.now() + this.deadlineMs;
      for (const wait of unsent) wait.dueMs = dueMs;
      if (this.timer === null) this.watch();
    });
  };

  private watch(): void {
    const [first] = this.waiting;
    // A connection that is open keeps its process running.
    this.timer =
      typeof first?.dueMs === "number"
        ? setTimeout(this.onDue, first.dueMs - performance.now()).unref()
        : null;
  }

  /**
   * A reply that arrived while this process was busy is still
   * read: hence the two turns.
   */
  private readonly onDue = (): void => {
    const nowMs = performance.now();
    setImmediate(() => setImmediate(() => this.endFirst(nowMs)));
  };

  /** The first alone: that may end all others, or answer them. */
  private endFirst(nowMs: number): void {
    const [first] = this.waiting;
    if (!isDue(first, nowMs)) {
      this.watch();
      return;
    }
    this.end(first);
    setImmediate(() => this.endDue(nowMs));
  }

  private endDue(nowMs: number): void {
    for (const wait of this.waiting) {
      if (!isDue(wait, nowMs)) break;
      this.end(wait);
    }
    this.watch();
  }

  private end(wait: PendingReply): void {
    this.waiting.delete(wait);
    wait.reject(new LateReply(`no reply within ${this.deadlineMs} ms`));
  }
}

const isDue = (wait: PendingReply | undefined, nowMs: number): wait is PendingReply =>
  wait !== undefined && wait.dueMs !== null && wait.dueMs <= nowMs;
