/**
 * One value of a group: executes its newest event for everybody, and again for those who came later.
 *
 * One execution at a time, so answers leave in the order in which they were read and versions never go back. Whoever joins gets an answer
 * whose reading began after that, never an older one: a publication may still be on its way to this process. All who join while an
 * execution runs share the next one. Nothing is queued: what happens meanwhile is the newest event and a set of newcomers.
 */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { Member } from "./fan-out-member.js";

/** What a lane asks of its group. */
export interface LaneHost {
  /** Who is served now. */
  readonly members: ReadonlySet<Member>;
  /** Whether nobody is left. */
  readonly abandoned: boolean;
  /** Reads the value of an event for some members; `newest` where only the newest will do. Null when nobody may have it. */
  read(event: unknown, members: ReadonlySet<Member>, newest: boolean): Promise<Answer | null>;
  /** `count` messages were handed over. */
  sent(count: number): void;
  /** Reading broke: nothing can follow. */
  fail(error: unknown): void;
}

/** A value as it goes out. */
export interface Answer {
  /** The message without the operation id. */
  readonly frame: Buffer;
  /** Who may have it. */
  readonly members: ReadonlySet<Member>;
}

/** Sockets that are written to before others get a turn of the event loop. */
const BATCH = 256;

/** Time between two readings for newcomers alone: a crowd that comes back costs a hundred a second, however big it is. */
const GATHER_MS = 10;

/** One value of a group. */
export class Lane {
  private event: unknown;
  private due: "nobody" | "newcomers" | "everybody" = "nobody";
  private newcomers = new Set<Member>();
  private gatheredAt = Number.NEGATIVE_INFINITY;
  private working = false;
  private worked: Promise<void> = Promise.resolve();

  constructor(private readonly host: LaneHost) {}

  /** A newer event: everybody gets it. Resolves when there is room for another. */
  async take(event: unknown): Promise<void> {
    const before = this.worked;
    this.event = event;
    this.due = "everybody";
    this.work();
    await before;
  }

  /** Gives a member the value as it is read from now on. */
  join(member: Member): void {
    this.newcomers.add(member);
    if (this.due === "nobody") this.due = "newcomers";
    this.work();
  }

  /** The member gets nothing any more. */
  leave(member: Member): void {
    this.newcomers.delete(member);
  }

  /** Resolves when everything due was sent. */
  async idle(): Promise<void> {
    await this.worked;
  }

  private work(): void {
    if (this.working) return;
    this.working = true;
    this.worked = this.run();
  }

  private async run(): Promise<void> {
    try {
      while (this.due !== "nobody" && !this.host.abandoned) await this.step();
    } catch (error) {
      this.host.fail(error);
    } finally {
      this.working = false;
    }
  }

  private async step(): Promise<void> {
    const { host } = this;
    if (this.due === "newcomers") await this.gather();
    const { newcomers } = this;
    const members = this.due === "everybody" ? host.members : newcomers;
    this.due = "nobody";
    if (newcomers.size > 0) this.newcomers = new Set();
    const answer = await host.read(this.event, members, newcomers.size > 0);
    if (answer) await this.deliver(answer);
  }

  /** Waits for others who join now; not at all where nobody has joined just before. */
  private async gather(): Promise<void> {
    const leftMs = this.gatheredAt + GATHER_MS - performance.now();
    await (leftMs > 0 ? delay(leftMs) : turn());
    this.gatheredAt = performance.now();
  }

  private async deliver({ frame, members }: Answer): Promise<void> {
    let sent = 0;
    for (const member of members) {
      // Who has come since the reading began waits for the next one.
      if (!this.host.members.has(member) || this.newcomers.has(member)) continue;
      member.offer(this, frame);
      sent += 1;
      if (sent % BATCH === 0) await turn();
    }
    this.host.sent(sent);
  }
}
