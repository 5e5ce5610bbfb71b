/**
 * One value of a group: executes its newest event for everybody, and again for those who came
 * later.
 *
 * One execution at a time, so answers leave in the order in which they were read and versions never
 * go back. Whoever joins gets an answer whose reading began after that, never an older one: a
 * publication may still be on its way to this process. All who join while an execution runs share
 * the next one. Nothing is queued: what happens meanwhile is the newest event and a set of
 * newcomers.
 *
 * A reading that failed, or that a fallback answered, leaves its value due: it is repeated with
 * backoff until it succeeds, the source ends, or no member is left. Until then only the newest
 * value will do, whatever the event asks for. An error goes to each member once until the next
 * success. A fallback may be older than an earlier answer: it is sent to members that have no data
 * yet, and held back from all others.
 */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { SECOND } from "../../domain/time/time.js";
import type { Member } from "./member.js";

/** What a lane asks of its group. */
export interface LaneHost {
  /** Who is served now. */
  readonly members: ReadonlySet<Member>;
  /** Whether nobody is left. */
  readonly abandoned: boolean;
  /**
   * Reads the value of an event for some members; `newest` where only the newest will do. Null when
   * nobody may have it. Rejects where nothing can follow.
   */
  read(event: unknown, members: ReadonlySet<Member>, newest: boolean): Promise<Answer | null>;
  /** `count` messages were handed over. */
  sent(count: number): void;
  /** Delivering broke: nothing can follow. */
  fail(error: unknown): void;
}

/** What became of a reading. */
export interface Outcome {
  /** It holds an error that may pass. */
  readonly failed: boolean;
  /** It holds data, with or without errors. */
  readonly hasData: boolean;
  /** A fallback answered for some of its data. */
  readonly provisional: boolean;
}

/** A value as it goes out. */
export interface Answer extends Outcome {
  /** The message without the operation id; null when there is none. */
  readonly frame: Buffer | null;
  /** Who may have it. */
  readonly members: ReadonlySet<Member>;
}

/** Sockets that are written to before others get a turn of the event loop. */
const BATCH = 256;

/**
 * Time between two readings for newcomers alone: a crowd that comes back costs a hundred a second,
 * however big it is.
 */
const GATHER_MS = 10;

/** Well below the two seconds within which a value follows the end of a failure. */
const RETRY: Backoff = { firstMs: 50, longestMs: SECOND };

/** One value of a group. */
export class Lane {
  private event: unknown;
  private due: "nobody" | "newcomers" | "everybody" = "nobody";
  private newcomers = new Set<Member>();
  /** Readings in a row that failed or were provisional. */
  private failures = 0;
  /** Who was sent the error of this run of failures. */
  private readonly told = new Set<Member>();
  /** Who was sent data. */
  private readonly shown = new Set<Member>();
  /**
   * An event was not read, or its reading failed or was provisional: only the newest value will do.
   */
  private doubted = false;
  private retries = true;
  /** A reading was rejected: none follows. */
  private broken = false;
  private gatheredAt = Number.NEGATIVE_INFINITY;
  private working = false;
  private worked: Promise<void> = Promise.resolve();
  /** Resolves when another event may be taken: the last one was read, or failed to be. */
  private room: Promise<void> = Promise.resolve();
  private makeRoom = (): void => {};
  private endPause = (): void => {};

  constructor(private readonly host: LaneHost) {}

  /**
   * A newer event: everybody gets it. Resolves when there is room for another; a value that fails
   * holds up no other.
   */
  async take(event: unknown): Promise<void> {
    const { room } = this;
    if (this.due === "everybody") this.doubted = true;
    this.event = event;
    this.due = "everybody";
    this.work();
    await room;
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
    this.told.delete(member);
    this.shown.delete(member);
  }

  /** Resolves when everything due was sent. */
  async idle(): Promise<void> {
    await this.worked;
  }

  /** What is due is read once more at most. */
  stopRetrying(): void {
    this.retries = false;
    this.endPause();
  }

  private work(): void {
    if (this.working || this.broken) return;
    this.working = true;
    this.room = new Promise((resolve) => {
      this.makeRoom = resolve;
    });
    this.worked = this.run();
  }

  private async run(): Promise<void> {
    try {
      while (this.due !== "nobody" && !this.host.abandoned) await this.step();
    } catch (error) {
      this.broken = true;
      this.host.fail(error);
    } finally {
      this.working = false;
      this.makeRoom();
    }
  }

  private async step(): Promise<void> {
    const { host } = this;
    if (this.failures > 0) await this.pause();
    else if (this.due === "newcomers") await this.gather();
    if (host.abandoned) return;
    const { newcomers, due } = this;
    const members = due === "everybody" ? host.members : newcomers;
    const newest = this.doubted || newcomers.size > 0;
    this.due = "nobody";
    this.doubted = false;
    if (newcomers.size > 0) this.newcomers = new Set();
    const answer = await host.read(this.event, members, newest);
    if (answer) await this.deliver(answer);
    if (answer?.failed || answer?.provisional) this.owe(due, answer.members);
    else this.failures = 0;
  }

  /** The value stays due to those for whom it was read. */
  private owe(due: "nobody" | "newcomers" | "everybody", members: ReadonlySet<Member>): void {
    this.failures += 1;
    this.doubted = true;
    this.makeRoom();
    if (!this.retries) return;
    if (due === "everybody") this.due = due;
    else for (const member of members) if (this.host.members.has(member)) this.join(member);
  }

  /** Waits before the next reading. */
  private pause(): Promise<void> {
    if (!this.retries) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, backoffMs(this.failures, RETRY));
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Waits for others who join now; not at all where nobody has joined just before. */
  private async gather(): Promise<void> {
    const leftMs = this.gatheredAt + GATHER_MS - performance.now();
    await (leftMs > 0 ? delay(leftMs) : turn());
    this.gatheredAt = performance.now();
  }

  private async deliver(answer: Answer): Promise<void> {
    const { frame, members } = answer;
    let sent = 0;
    for (const member of frame ? members : []) {
      if (!frame || !this.takes(member, answer)) continue;
      if (answer.failed) this.told.add(member);
      else this.told.delete(member);
      if (answer.hasData) this.shown.add(member);
      member.offer(this, frame);
      sent += 1;
      if (sent % BATCH === 0) await turn();
    }
    this.host.sent(sent);
  }
  /** Whether a member is to be sent an answer. */
  private takes(member: Member, { failed, provisional }: Answer): boolean {
    // Who has come since the reading began waits for the next one.
    if (!this.host.members.has(member) || this.newcomers.has(member)) return false;
    if (failed && this.told.has(member)) return false;
    return !(provisional && this.shown.has(member));
  }
}
