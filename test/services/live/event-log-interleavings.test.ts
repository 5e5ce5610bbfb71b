/**
 * What is committed is told: once, in order, with none missing, in random schedules of everything
 * that can go wrong at once.
 */
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { BEGINNING } from "../../../src/domain/events/event-log.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { drillSize } from "../../support/drill.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { type RedisServer, startRedisServer } from "../../support/redis-server.js";
import { commit, makeUsers, testProcess } from "./event-log.fixture.js";
import { Fleet, schedules } from "./event-log-interleavings.js";

const SCHEDULES = drillSize({ sample: 8, full: 1_000 });
const SUBSCRIBERS = drillSize({ sample: 60, full: 200 });
const USERS = drillSize({ sample: 10, full: 20 });
const SEED = Number(process.env.DRILL_SEED ?? 4);

let database: TestDatabase;
let server: RedisServer;
beforeAll(async () => {
  [database, server] = await Promise.all([
    testDatabase(),
    startRedisServer({ args: ["--appendonly", "yes"] }),
  ]);
});
afterAll(async () => {
  await server?.stop();
  await database?.close();
});

it(`In ${SCHEDULES} schedules ${SUBSCRIBERS} subscribers get commits once, in order.`, async () => {
  const fleet = new Fleet(database, server);
  await fleet.open({ users: USERS, subscribers: SUBSCRIBERS });
  onTestFinished(() => fleet.close());
  const began = performance.now();
  let done = 0;
  const report = (): void => {
    const { events, told } = fleet.counts;
    const seconds = Math.round((performance.now() - began) / 1_000);
    process.stdout.write(
      `${done} schedules (seed ${SEED}), ${events} events, told ${told} times, ${seconds} s\n`,
    );
  };
  const check = fc.asyncProperty(schedules, async (steps) => {
    expect(await fleet.run(steps)).toBeNull();
    done += 1;
    if (done % 100 === 0) report();
  });
  await fc.assert(check, { numRuns: SCHEDULES, seed: SEED, endOnFailure: true });
  report();
});

it("A flush leaves no gap in logs.", async () => {
  const place = { database, port: server.port, keys: createKeys(`${performance.now()}:`) };
  const processes = await Promise.all([testProcess(place), testProcess(place)]);
  const [a] = processes;
  const [user = 0] = await makeUsers(database, 1);
  const readers = Array.from({ length: SUBSCRIBERS }, (_, index) =>
    processes[index % 2]!.follow(user, BEGINNING),
  );
  const takeAll = () => Promise.all(readers.map(async (one) => (await one.next()).value));
  const send = async (name: string) =>
    a.outbox.dispatch(await commit(database, a.outboxTable, [user], name));
  await send("before");
  await takeAll();
  const waiting = takeAll();
  const admin = new Redis(server.url);
  await admin.flushall();
  admin.disconnect();
  await send("after");
  const told = await waiting;
  expect(new Set(told.map((item) => JSON.stringify(item.position)))).toEqual(
    new Set([JSON.stringify({ epoch: "", sequence: 2 })]),
  );
});
