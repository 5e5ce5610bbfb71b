/**
 * Random schedules for logs: senders that die after the commit, subscribers that leave, stall and
 * come back elsewhere, processes that are hung up on, black-holed or restarted, and a Redis that is
 * trimmed, flushed and restarted under them. The oracle is the sequence: a subscriber is told each
 * once, in order, with none missing.
 */
import { setImmediate as breathe } from "node:timers/promises";
import fc from "fast-check";
import { Redis } from "ioredis";
import { createNotificationLogTable } from "../../../src/db/notification/event-log.js";
import type { EventLogStart } from "../../../src/domain/events/event-log.js";
import { type NotificationEvent, notificationLog } from "../../../src/domain/notification.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import type { TestDatabase } from "../../support/postgres.js";
import type { RedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";
import { commit, type LogProcess, makeUsers, openProcess } from "./event-log.fixture.js";
import { Subscriber } from "./event-log-subscriber.js";

/** What may happen, as often as it is repeated here. */
const ACTS = [
  ...Array<"publish">(10).fill("publish"),
  ...([
    "crash",
    "crash",
    "relay",
    "relay",
    "leave",
    "leave",
    "leave",
    "join",
    "join",
    "join",
    "breathe",
    "breathe",
  ] as const),
  ...([
    "hang up",
    "black hole",
    "heal",
    "heal",
    "stall",
    "wake",
    "trim",
    "flush",
    "restart a process",
  ] as const),
] as const;

/** One step of a schedule; `pick` chooses who it concerns. */
export interface Step {
  readonly act: (typeof ACTS)[number] | "restart Redis";
  readonly pick: number;
}

/** Schedules; a restart of Redis costs most and comes rarely. */
export const schedules: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    act: fc.oneof(
      { weight: 60, arbitrary: fc.constantFrom(...ACTS) },
      { weight: 1, arbitrary: fc.constant("restart Redis" as const) },
    ),
    pick: fc.nat({ max: 1_000_000 }),
  }),
  { minLength: 20, maxLength: 80 },
);

/** Users of one publication. */
const SENT_TO = 7;
const PROCESSES = 3;

/** Everything that takes part, kept over many schedules. */
export class Fleet {
  readonly followers: {
    readonly userId: number;
    readonly subscriber: Subscriber<LogProcess, NotificationEvent>;
  }[] = [];
  /** Events committed, and told, so far. */
  readonly counts = { events: 0, told: 0 };
  private readonly keys = createKeys();
  private readonly table;
  private processes: LogProcess[] = [];
  private users: number[] = [];
  private readonly sending = new Set<Promise<unknown>>();
  private titles = 0;

  constructor(
    private readonly database: TestDatabase,
    private readonly server: RedisServer,
  ) {
    this.table = createNotificationLogTable(database.database);
  }

  async open({ users, subscribers }: { users: number; subscribers: number }): Promise<void> {
    this.users = await makeUsers(this.database, users);
    this.processes = await Promise.all(Array.from({ length: PROCESSES }, () => this.openOne()));
    for (let at = 0; at < subscribers; at++)
      this.followers.push(this.follower(this.users[at % users] ?? 0));
  }

  async close(): Promise<void> {
    for (const subscriber of this.subscribers) subscriber.leave();
    await Promise.all(this.processes.map((process) => process.close()));
  }

  /**
   * Runs a schedule to its end, heals everything, and answers what went wrong; null when nothing
   * did.
   */
  async run(steps: readonly Step[]): Promise<string | null> {
    const before = await this.ends();
    for (const subscriber of this.subscribers) subscriber.told.length = 0;
    this.joinAll(0);
    for (const { act, pick } of steps) await this.act(act, pick);
    await this.settle();
    // One more for everybody: whatever was told twice stands before it.
    await this.publish(this.users, true);
    const after = await this.settle();
    return this.judge(before, after);
  }

  private async act(act: Step["act"], pick: number): Promise<void> {
    const process = this.processes[pick % PROCESSES] as LogProcess;
    const some = this.subscribers.filter((_, index) => (index + pick) % 7 === 0);
    switch (act) {
      case "publish":
      case "crash":
        return this.publish(this.pickUsers(pick), act === "publish", process);
      case "relay":
        return this.later(process.outbox.sendWaiting());
      case "leave":
        for (const subscriber of some) subscriber.leave();
        return;
      case "join":
        return this.joinAll(pick);
      case "stall":
        for (const subscriber of some) subscriber.stall();
        return;
      case "wake":
        for (const subscriber of this.subscribers) subscriber.wake();
        return;
      case "breathe":
        await breathe();
        return;
      default:
        return this.harm(act, pick, process);
    }
  }

  private async harm(act: Step["act"], pick: number, process: LogProcess): Promise<void> {
    if (act === "hang up") process.proxy.hangUp();
    if (act === "black hole") process.proxy.blackHole();
    if (act === "heal") await process.proxy.restore();
    if (act === "trim")
      await this.asAdmin((admin) =>
        admin.unlink(this.keys.eventLog("notification", this.pickUsers(pick)[0] ?? 0)),
      );
    if (act === "flush") await this.asAdmin((admin) => admin.flushall());
    if (act === "restart Redis") await this.server.restart();
    if (act === "restart a process") await this.replace(process);
  }

  /** Its subscribers come back to another one; the cursor is all that they bring. */
  private async replace(process: LogProcess): Promise<void> {
    const opened = await this.openOne();
    this.processes = this.processes.map((one) => (one === process ? opened : one));
    await process.close();
  }

  private follower(userId: number) {
    const follow = (process: LogProcess, start: EventLogStart) => process.follow(userId, start);
    return {
      userId,
      subscriber: new Subscriber<LogProcess, NotificationEvent>(notificationLog(userId), follow),
    };
  }

  private get subscribers(): Subscriber<LogProcess, NotificationEvent>[] {
    return this.followers.map(({ subscriber }) => subscriber);
  }

  private openOne(): Promise<LogProcess> {
    return openProcess({ database: this.database, port: this.server.port, keys: this.keys });
  }

  private pickUsers(pick: number): number[] {
    return Array.from(
      { length: Math.min(SENT_TO, this.users.length) },
      (_, at) => this.users[(pick + at * 3) % this.users.length] ?? 0,
    );
  }

  private async publish(
    userIds: readonly number[],
    announce: boolean,
    by = this.processes[0] as LogProcess,
  ): Promise<void> {
    const all = [...new Set(userIds)];
    this.counts.events += all.length;
    const row = await commit(this.database, by.outboxTable, all, `${++this.titles}`);
    if (announce) this.later(by.outbox.dispatch(row));
  }

  private later(work: Promise<unknown>): void {
    const ended: Promise<unknown> = work.catch(() => {}).finally(() => this.sending.delete(ended));
    this.sending.add(ended);
  }

  private joinAll(pick: number): void {
    for (const [index, subscriber] of this.subscribers.entries()) {
      subscriber.join(this.processes[(index + pick) % PROCESSES] as LogProcess);
    }
  }

  /** Every fault ends, everybody is back, and everybody has been told the last of their log. */
  private async settle(): Promise<Map<number, number>> {
    await Promise.all(this.processes.map((process) => process.proxy.restore()));
    for (const subscriber of this.subscribers) subscriber.wake();
    await Promise.all(this.sending);
    const [relay] = this.processes as [LogProcess];
    await until("the outbox to be empty", async () => {
      await relay.outbox.sendWaiting();
      return !(await relay.outboxTable.hasUnsent());
    });
    const ends = await this.ends();
    await until(`everybody to be told, as far as ${JSON.stringify([...ends])}`, () => {
      this.joinAll(0);
      return this.followers.every(
        ({ userId, subscriber }) => subscriber.at >= (ends.get(userId) ?? 0),
      );
    });
    return ends;
  }

  private async ends(): Promise<Map<number, number>> {
    return new Map(
      await Promise.all(
        this.users.map(async (user) => [user, await this.table.last(user)] as const),
      ),
    );
  }

  private judge(
    before: ReadonlyMap<number, number>,
    after: ReadonlyMap<number, number>,
  ): string | null {
    for (const { userId, subscriber } of this.followers) {
      const first = before.get(userId) ?? 0;
      const wanted = Array.from(
        { length: (after.get(userId) ?? 0) - first },
        (_, index) => `${first + 1 + index}`,
      );
      const told = subscriber.told.map((item) =>
        "reason" in item ? item.reason : `${item.position.sequence}`,
      );
      this.counts.told += told.length;
      if (told.join() !== wanted.join())
        return `user ${userId} was told ${told.join()}, wanted ${wanted.join()}`;
    }
    return null;
  }

  private async asAdmin(work: (admin: Redis) => Promise<unknown>): Promise<void> {
    const admin = new Redis(this.server.url);
    try {
      await work(admin);
    } finally {
      admin.disconnect();
    }
  }
}
