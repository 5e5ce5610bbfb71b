/**
 * Everybody who asked the same and may be given the same: one source, one execution and one
 * serialisation per event.
 *
 * The first opens the source and waits for it; who comes later shares it, and gets each of its
 * values again, read from then on. An event tells by `id` which of the watched values it is about;
 * one without is about the only one. A reading that failed, or that a fallback answered, is
 * repeated by its lane. The last one to leave closes the source. When the source ends, so do its
 * members, after what was read for them has been written.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ExecutionResult } from "graphql";
import type { Logger } from "pino";
import { AnswerTooLarge } from "../../domain/errors.js";
import { isSource } from "../operation/subscription.js";
import { type Audience, LOOK_AGAIN_MS } from "./audience.js";
import { tailOf } from "./frame.js";
import { type Answer, Lane, type LaneHost, type Outcome } from "./lane.js";
import type { Member } from "./member.js";

/** What a group is made of. */
export interface GroupParts {
  readonly audience: Audience;
  /** Opens the source: its events, or why there are none. Rejects when it takes too long. */
  open(): Promise<AsyncIterator<unknown> | ExecutionResult>;
  /**
   * Executes the operation for one event; `newest` where only the newest value will do. Null when
   * no subscriber asks any more.
   */
  execute(event: unknown, newest: boolean, members: ReadonlySet<Member>): Promise<Executed | null>;
  /**
   * How long the next message has to wait, in ms: what its members may have executed is bounded.
   */
  waitMs(members: ReadonlySet<Member>): number;
  /** `count` messages were handed to sockets. */
  sent(count: number): void;
  /** Nobody can join any more; may be said twice. */
  closed(): void;
  readonly log: Logger;
}

/** Members come and go, so a long wait is looked at again. */
const MOST_REST_MS = 1_000;

/** What an execution has brought. */
export interface Executed extends Outcome {
  /** The answer, for the wire. */
  readonly json: string;
}

/** One group. */
export class Group implements LaneHost {
  readonly members = new Set<Member>();
  /** Resolves when the source is open, to null or to why it is refused. */
  readonly opened: Promise<ExecutionResult | null>;
  /** Members, and those who are about to be. */
  private holders = 0;
  private source: AsyncIterator<unknown> | null = null;
  private readonly lanes = new Map<unknown, Lane>();
  private pulling = false;
  private ended: { readonly failure: { readonly error: unknown } | null } | null = null;
  private lookAgain: NodeJS.Timeout | null = null;

  constructor(private readonly parts: GroupParts) {
    this.opened = this.open();
    // Whoever waits for it hears of it.
    this.opened.catch(() => {});
  }

  get abandoned(): boolean {
    return this.holders === 0;
  }

  /** Announces a member, so that the group stays until it leaves. */
  hold(): void {
    this.holders += 1;
  }

  /** The member takes messages from now on. */
  start(member: Member): void {
    this.members.add(member);
    for (const lane of this.lanes.values()) lane.join(member);
    if (this.ended) void this.finish(member);
    else if (!this.pulling) void this.pull();
  }

  /** A member goes, whether it had started or not; once for each {@link hold}. */
  leave(member: Member): void {
    this.members.delete(member);
    for (const lane of this.lanes.values()) lane.leave(member);
    member.leave();
    this.holders -= 1;
    if (this.abandoned) this.close();
  }

  async read(
    event: unknown,
    members: ReadonlySet<Member>,
    newest: boolean,
  ): Promise<Answer | null> {
    try {
      const admitted = this.parts.audience.admits ? await this.admitted(members) : members;
      if (admitted.size === 0) return null;
      const executed = await this.parts.execute(event, newest, admitted);
      if (!executed) return null;
      const { json, ...outcome } = executed;
      return { ...outcome, frame: tailOf(json), members: admitted };
    } catch (err) {
      // It would be as large when read again: the group ends with it.
      if (err instanceof AnswerTooLarge) throw err;
      this.parts.log.error(
        { err },
        "a value of a subscription could not be read and is read again",
      );
      return { frame: null, failed: true, hasData: false, provisional: false, members };
    }
  }

  sent(count: number): void {
    this.parts.sent(count);
  }

  fail(error: unknown): void {
    this.end({ error });
  }

  private async open(): Promise<ExecutionResult | null> {
    try {
      const source = await this.parts.open();
      if (!isSource(source)) {
        this.parts.closed();
        return source;
      }
      this.source = source;
      return null;
    } catch (error) {
      this.parts.closed();
      throw error;
    }
  }

  private async pull(): Promise<void> {
    this.pulling = true;
    try {
      while (!this.abandoned) {
        await this.rest();
        const event = await this.source?.next();
        if (!event || event.done) break;
        await this.lane(event.value).take(event.value);
      }
      this.end(null);
    } catch (error) {
      this.end({ error });
    }
  }

  /**
   * Waits while its members have used up what they may have executed; what is due meanwhile is
   * conflated.
   */
  private async rest(): Promise<void> {
    while (!this.abandoned) {
      const waitMs = this.parts.waitMs(this.members);
      if (waitMs <= 0) return;
      await delay(Math.min(waitMs, MOST_REST_MS), undefined, { ref: false });
    }
  }

  private lane(event: unknown): Lane {
    const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
    const known = this.lanes.get(id);
    if (known) return known;
    const lane = new Lane(this);
    this.lanes.set(id, lane);
    return lane;
  }

  private async admitted(members: ReadonlySet<Member>): Promise<ReadonlySet<Member>> {
    const { audience } = this.parts;
    const asked = await Promise.all(
      [...members].map(async (member) => ({
        member,
        admitted: await audience.admits?.(member.peer),
      })),
    );
    const admitted = new Set(asked.flatMap(({ member, admitted }) => (admitted ? [member] : [])));
    if (admitted.size < members.size) this.lookAgainSoon();
    return admitted;
  }

  /** Some could not be looked up: they are not forgotten, and get the value when they can be. */
  private lookAgainSoon(): void {
    this.lookAgain ??= setTimeout(() => {
      this.lookAgain = null;
      for (const lane of this.lanes.values()) for (const member of this.members) lane.join(member);
    }, LOOK_AGAIN_MS).unref();
  }

  private end(failure: { readonly error: unknown } | null): void {
    if (this.ended) return;
    this.ended = { failure };
    this.parts.closed();
    this.stopRetries();
    for (const member of this.members) void this.finish(member);
    void this.closeSource();
  }

  /** Ends a member after everything that was read for it has been written. */
  private async finish(member: Member): Promise<void> {
    const idle = () => Promise.all([...this.lanes.values()].map((lane) => lane.idle()));
    await idle();
    // What did not fit into the memory of a slow socket is read again on the way.
    while (member.waits) {
      await member.flushed();
      await idle();
    }
    member.end(this.ended?.failure ?? null);
  }

  private close(): void {
    if (this.lookAgain) clearTimeout(this.lookAgain);
    this.parts.closed();
    this.stopRetries();
    void this.closeSource();
  }

  private stopRetries(): void {
    for (const lane of this.lanes.values()) lane.stopRetrying();
  }

  private async closeSource(): Promise<void> {
    try {
      await this.source?.return?.();
    } catch (err) {
      this.parts.log.error({ err }, "the source of a subscription did not end");
    }
  }
}
