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

/** The replies that one structure waits for. */
export class PendingReplies {
  private readonly waiting = new Set<(error: Error) => void>();

  constructor(private readonly deadlineMs: number) {}

  /**
   * The reply. Rejects with LateReply after the deadline, or
   * when another reply is late. A reply that arrived while
   * this process was busy is still read: hence the two turns.
   */
  wait<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new LateReply(`no reply within ${this.deadlineMs} ms`));
      const timer = setTimeout(() => setImmediate(() => setImmediate(late)), this.deadlineMs);
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(reject);
      };
      this.waiting.add(reject);
      reply.then(resolve, reject).finally(done);
    });
  }

  /** Ends every wait: Redis has fallen silent. */
  giveUp(): void {
    for (const reject of this.waiting) reject(new OtherReplyLate());
    this.waiting.clear();
  }
}
