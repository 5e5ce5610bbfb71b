/**
 * A log that loses history, in random schedules: what a subscriber receives is unbroken, each entry
 * once, except where a gap says so.
 */
import { setImmediate as breathe } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type EventLogPosition,
  type EventLogStart,
  encodeEventLogCursor,
} from "../../../src/domain/events/event-log.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { drillSize } from "../../support/drill.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { type RedisServer, startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";
import { type LogProcess, testProcess } from "./event-log.fixture.js";
import { Subscriber } from "./event-log-subscriber.js";
import { MemoryLog } from "./memory-log.js";

const SCHEDULES = drillSize({ sample: 8, full: 500 });
const SUBSCRIBERS = drillSize({ sample: 30, full: 200 });
const SEED = Number(process.env.DRILL_SEED ?? 9);
const TOPIC = { kind: "notification", id: 1 } as const;

let database: TestDatabase;
let server: RedisServer;
beforeAll(async () => {
  [database, server] = await Promise.all([testDatabase(), startRedisServer()]);
});
afterAll(async () => {
  await server?.stop();
  await database?.close();
});

const ACTS = [
  ...Array<"append">(12).fill("append"),
  ...([
    "leave",
    "leave",
    "join",
    "join",
    "stall",
    "wake",
    "breathe",
    "hang up",
    "black hole",
    "heal",
    "heal",
    "trim",
    "lose",
  ] as const),
] as const;
const schedules = fc.array(
  fc.record({ act: fc.constantFrom(...ACTS), pick: fc.nat({ max: 1_000_000 }) }),
  {
    minLength: 20,
    maxLength: 80,
  },
);

/** The log, who follows it, and what was ever appended, by its position. */
class Crowd {
  readonly appended = new Map<string, string>();
  readonly counts = { appended: 0, told: 0, gaps: 0 };
  private subscribers: Subscriber<LogProcess, string>[] = [];
  private readonly sending = new Set<Promise<void>>();

  constructor(
    private readonly processes: readonly LogProcess[],
    private readonly log: MemoryLog,
  ) {}

  async run(steps: readonly { act: (typeof ACTS)[number]; pick: number }[]): Promise<void> {
    const start = await this.log.end();
    const cursor = encodeEventLogCursor("log", start);
    const follow = (process: LogProcess, from: EventLogStart) =>
      process.subscriptions.follow(TOPIC, this.log, from);
    this.subscribers = Array.from(
      { length: SUBSCRIBERS },
      () => new Subscriber("log", follow, cursor),
    );
    this.joinAll(0);
    for (const { act, pick } of steps) await this.act(act, pick);
    await this.settle();
    for (const subscriber of this.subscribers) this.judge(start, subscriber);
    for (const subscriber of this.subscribers) subscriber.leave();
  }

  private async act(act: (typeof ACTS)[number], pick: number): Promise<void> {
    const process = this.processes[pick % this.processes.length] as LogProcess;
    const some = this.subscribers.filter((_, index) => (index + pick) % 5 === 0);
    if (act === "append") this.append(process);
    if (act === "leave") for (const subscriber of some) subscriber.leave();
    if (act === "join") this.joinAll(pick);
    if (act === "stall") for (const subscriber of some) subscriber.stall();
    if (act === "wake") for (const subscriber of this.subscribers) subscriber.wake();
    if (act === "breathe") await breathe();
    await this.harm(act, process);
  }

  private async harm(act: (typeof ACTS)[number], process: LogProcess): Promise<void> {
    if (act === "hang up") process.proxy.hangUp();
    if (act === "black hole") process.proxy.blackHole();
    if (act === "heal") await process.proxy.restore();
    if (act === "trim") this.log.trim(1);
    if (act === "lose") this.log.lose();
  }

  /** Announced until that is known to have arrived. */
  private append(process: LogProcess): void {
    const name = `entry ${++this.counts.appended}`;
    const position = this.log.append(name);
    this.appended.set(`${position.epoch}:${position.sequence}`, name);
    const work = until(name, async () => {
      await process.pubsub.publish(TOPIC, position);
      return true;
    });
    const ended: Promise<void> = work.then(() => void this.sending.delete(ended));
    this.sending.add(ended);
  }

  private joinAll(pick: number): void {
    for (const [index, subscriber] of this.subscribers.entries()) {
      subscriber.join(this.processes[(index + pick) % this.processes.length] as LogProcess);
    }
  }

  private async settle(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.proxy.restore()));
    for (const subscriber of this.subscribers) subscriber.wake();
    await Promise.all(this.sending);
    // One more, which also announces a loss.
    this.append(this.processes[0] as LogProcess);
    await Promise.all(this.sending);
    const end = encodeEventLogCursor("log", await this.log.end());
    await until(`everybody to be at ${end}`, () => {
      this.joinAll(0);
      return this.subscribers.every(({ cursor }) => cursor === end);
    });
  }

  private judge(start: EventLogPosition, { told }: Subscriber<LogProcess, string>): void {
    let at = start;
    for (const item of told) {
      this.counts.told += 1;
      if ("reason" in item) {
        this.counts.gaps += 1;
        expect(
          item.reason === "EPOCH_CHANGED"
            ? item.resumeFrom.epoch !== at.epoch
            : item.resumeFrom.sequence > at.sequence,
        ).toBe(true);
        at = item.resumeFrom;
      } else {
        expect(item.position).toEqual({ epoch: at.epoch, sequence: at.sequence + 1 });
        at = item.position;
        expect(item.event).toBe(this.appended.get(`${at.epoch}:${at.sequence}`));
      }
    }
  }
}

it(`In ${SCHEDULES} schedules, ${SUBSCRIBERS} subscribers learn of each gap.`, async () => {
  const place = { database, port: server.port, keys: createKeys() };
  const processes = await Promise.all([testProcess(place), testProcess(place), testProcess(place)]);
  const crowd = new Crowd(processes, new MemoryLog(10));
  await fc.assert(
    fc.asyncProperty(schedules, (steps) => crowd.run(steps)),
    { numRuns: SCHEDULES, seed: SEED, endOnFailure: true },
  );
  expect(crowd.counts.gaps).toBeGreaterThan(0);
  const { appended, told, gaps } = crowd.counts;
  process.stdout.write(
    `${SCHEDULES} schedules (seed ${SEED}), ${appended} entries, told ${told} times, ${gaps} ` +
      "gaps\n",
  );
});
