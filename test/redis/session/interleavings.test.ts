/**
 * Ten thousand seeded orders of what may happen to a user's sessions at the same time, each through
 * one of three connections: sign in, use, revoke one, revoke all but one, restart, run out.
 * Postgres is a model here that commits before Redis hears of it; what it says is dead must never
 * be found alive again, by any connection, however late the news come.
 */
import { expect, it } from "vitest";
import { randomAt } from "../../../src/db/seed/random.js";
import type { Revocation, SessionState } from "../../../src/domain/account/session.js";
import { testRedis } from "../../support/redis.js";
import { newSession, readyStore } from "./session.fixture.js";

const SCHEDULES = 10_000;
const STEPS = 12;
const AT_ONCE = 50;
const SEED = 20_261_123;

type Stores = Awaited<ReturnType<typeof openStores>>;

async function openStores() {
  const place = testRedis();
  const opened = [await readyStore(place), await readyStore(place), await readyStore(place)];
  await opened[0]!.store.loadRevokedBefore(0);
  return {
    stores: opened.map(({ store }) => store),
    connection: opened[0]!.connection,
    keys: place.keys,
  };
}

/** One user, as Postgres knows them. */
class Truth {
  epoch = 1;
  readonly revokedIds = new Set<string>();
  readonly born = new Map<string, number>();
  readonly kept = new Map<string, number>();

  get state(): SessionState {
    return { epoch: this.epoch, revokedIds: [...this.revokedIds] };
  }
  /** True when nothing that was committed allows the session to live. */
  isDead(id: string): boolean {
    return this.revokedIds.has(id) || (this.kept.get(id) ?? this.born.get(id) ?? 0) < this.epoch;
  }
}

/** Runs one schedule; resolves to what happened. */
async function run(
  { stores, connection, keys }: Stores,
  number: number,
): Promise<{ revivals: string[]; deaths: number; lives: number }> {
  const random = randomAt(SEED, "session", number);
  const tag = `user-${number}`;
  const truth = new Truth();
  const store = () => random.pick(stores);
  const revivals: string[] = [];
  const ids: string[] = [];
  let lives = 0;
  /** Committed, not yet told. */
  const owed: Revocation[] = [];
  const underway: Promise<unknown>[] = [];
  const tell = async () => {
    const known = truth.state;
    // Postgres takes its time to answer, and what it says may be old by then.
    for (let trips = random.between(0, 4); trips > 0; trips--) await store().find(tag, "nobody");
    if (random.chance(0.5))
      await Promise.all(owed.splice(0).map((revocation) => store().revoke(revocation)));
    await store().load(tag, known);
  };
  const steps: (() => Promise<unknown> | unknown)[] = [
    async () => {
      const id = `s${truth.born.size}`;
      const { epoch } = truth;
      truth.born.set(id, epoch);
      const using = store();
      if ((await using.create(newSession(tag, id, epoch))) === "not-loaded") {
        await tell();
        await using.create(newSession(tag, id, epoch));
      }
      // Nobody knows its name before it is there.
      ids.push(id);
    },
    () => ids.length > 0 && store().touch(tag, random.pick(ids)),
    () => {
      if (ids.length === 0) return;
      const sessionId = random.pick(ids);
      truth.revokedIds.add(sessionId);
      owed.push({ kind: "session", userId: 7, userTag: tag, sessionId });
    },
    () => {
      const keptId = ids.length > 0 && random.chance(0.5) ? random.pick(ids) : null;
      const survives = keptId !== null && !truth.isDead(keptId);
      truth.epoch += 1;
      if (survives) truth.kept.set(keptId, truth.epoch);
      owed.push({ kind: "user", userId: 7, userTag: tag, epoch: truth.epoch, keptId });
    },
    // Another server: what it remembers was loaded elsewhere.
    async () => {
      const value = await connection.get(keys.sessionEpoch(tag));
      if (value) await connection.set(keys.sessionEpoch(tag), value.replace(/@.*/, "@abc"));
      await tell();
    },
    () => ids.length > 0 && connection.zadd(keys.sessions(tag), "XX", 1, random.pick(ids)),
  ];
  /** Whoever was answered that a session has ended may rely on it from here on. */
  const judge = async (): Promise<void> => {
    await Promise.all([
      ...underway.splice(0),
      ...owed.splice(0).map((revocation) => store().revoke(revocation)),
    ]);
    for (const id of ids) {
      const dead = truth.isDead(id);
      const [found, touched] = [await store().find(tag, id), await store().touch(tag, id)];
      const isAlive = typeof found === "object";
      if (dead && (isAlive || touched !== null)) revivals.push(`${tag}/${id}`);
      lives += Number(isAlive);
    }
  };
  for (let step = 0; step < STEPS; step++) {
    underway.push(Promise.resolve(random.pick(steps)()));
    if (random.chance(0.4))
      underway.push(
        ...owed.splice(0, random.between(0, 2)).map((revocation) => store().revoke(revocation)),
      );
    if (random.chance(0.5)) await Promise.all(underway.splice(0));
    if (random.chance(0.3)) await judge();
  }
  await judge();
  return { revivals, lives, deaths: ids.filter((id) => truth.isDead(id)).length };
}

it(`In ${SCHEDULES} interleavings no revoked session is ever found alive.`, async () => {
  const stores = await openStores();
  const totals = { revivals: [] as string[], deaths: 0, lives: 0 };
  for (let from = 0; from < SCHEDULES; from += AT_ONCE) {
    const results = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, at) => run(stores, from + at)),
    );
    for (const { revivals, deaths, lives } of results) {
      totals.revivals.push(...revivals);
      totals.deaths += deaths;
      totals.lives += lives;
    }
  }
  expect(totals.revivals).toEqual([]);
  // Schedules in which nobody lives or nobody dies would show nothing.
  expect(totals.deaths).toBeGreaterThan(SCHEDULES);
  expect(totals.lives).toBeGreaterThan(SCHEDULES / 2);
}, 600_000);
