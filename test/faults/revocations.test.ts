/**
 * Poisoned revocations, and a Redis that has to be brought up to date with them: the user that a
 * row names is signed out, all others are served.
 */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createRevocationTable } from "../../src/db/account/revocations.js";
import { createOutboxTable } from "../../src/db/outbox.js";
import { ServiceUnavailable } from "../../src/domain/errors.js";
import { DAY, MINUTE } from "../../src/domain/time/time.js";
import { connectRedis, whenReady } from "../../src/redis/client/connect.js";
import { createSessionStore } from "../../src/redis/session/session.js";
import { sessionCredential } from "../../src/services/account/credential.js";
import { createFailClosed } from "../../src/services/account/fail-closed.js";
import { createSessionReload } from "../../src/services/account/session-reload.js";
import { createSessions } from "../../src/services/account/sessions.js";
import { testCaller } from "../support/caller.js";
import { testLog } from "../support/log.js";
import { type TestDatabase, testDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";
import { plant } from "./outbox.fixture.js";

const [ADA, BOB] = [
  { id: 1, tag: "ada-sixteenchars" },
  { id: 2, tag: "bob-sixteenchars" },
] as const;
const ORIGIN = { device: "a test", ip: "127.0.0.1" };

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  for (const { id, tag } of [ADA, BOB])
    await db.database.query(sql`INSERT INTO users (id, tag, email, name, password_hash, role)
      VALUES (${id}, ${tag}, ${`${tag}@test.example`}, 'Somebody', 'x', 'CUSTOMER')`);
});
afterAll(() => db.close());

/** Sessions of a process that has just started: it has to be brought up to date first. */
async function openSessions(redis = testRedis()) {
  const connection = connectRedis({ url: redis.url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const times = {
    idleMs: 30 * MINUTE,
    capMs: DAY,
    noteEveryMs: MINUTE,
    maxSessions: 10,
  };
  const store = createSessionStore(testCaller(connection), redis.keys, times);
  const [outboxTable, revocations] = [
    createOutboxTable(db.database),
    createRevocationTable(db.database),
  ];
  const failClosed = createFailClosed({ database: db.database, outboxTable, revocations });
  const trust = createSessionReload({
    store,
    revocations,
    outboxTable,
    failClosed,
    log: testLog(),
  });
  onTestFinished(() => trust.close());
  const sessions = createSessions({
    store,
    trust,
    pubsub: { publish: async () => {} },
    noteEveryMs: MINUTE,
    onUsed: () => {},
  });
  const signIn = async ({ id, tag }: typeof ADA | typeof BOB) => {
    const state = await revocations.stateOf(tag);
    const user = { id, tag, email: "", name: "", role: "CUSTOMER" as const, createdAt: "" };
    return (
      await sessions.open(
        { user, passwordHash: "", sessions: state ?? { epoch: 1, revokedIds: [] } },
        ORIGIN,
      )
    ).token;
  };
  return { connection, redis, sessions, signIn };
}

describe("a process that is brought up to date", () => {
  it.each([
    ["an unknown kind, with the id of the user", [{ kind: "device", userId: ADA.id }], true],
    ["no epoch, with the tag of the user", [{ kind: "user", userTag: ADA.tag }], true],
    ["an object in place of a list", { kind: "session", userId: ADA.id }, true],
    ["no user", [{ kind: "device" }], false],
    ["a number", [5], false],
    ["an id that is no user's", [{ kind: "device", userId: 999_999 }], false],
  ])(
    "A revocation with %s signs out the user it names, if any, and leaves all others alone.",
    async (_what, revocations, endsAda) => {
      const first = await openSessions();
      const [ada, bob] = [await first.signIn(ADA), await first.signIn(BOB)];
      const id = await plant(db.database, { revocations });
      onTestFinished(async () => void (await db.database.query(sql`DELETE FROM outbox`)));
      const { sessions } = await openSessions(first.redis);
      expect(await sessions.authenticate(sessionCredential(bob))).toMatchObject({ userId: BOB.id });
      const found = await sessions.authenticate(sessionCredential(ada));
      if (endsAda) expect(found).toBeNull();
      else expect(found).toMatchObject({ userId: ADA.id });
      expect(await db.database.query(sql`SELECT id FROM outbox WHERE id = ${id}`)).toHaveLength(1);
      // Once: a session of a later sign-in lives, also for a process that starts afterwards.
      const again = await first.signIn(ADA);
      const later = await openSessions(first.redis);
      expect(await later.sessions.authenticate(sessionCredential(again))).toMatchObject({
        userId: ADA.id,
      });
    },
  );

  it("A process serves all users except the one whose revocation Redis refuses.", async () => {
    const first = await openSessions();
    const [ada, bob] = [await first.signIn(ADA), await first.signIn(BOB)];
    await first.connection.set(first.redis.keys.sessions(ADA.tag), "not a set");
    await plant(db.database, {
      revocations: [{ kind: "session", userId: ADA.id, userTag: ADA.tag, sessionId: "s" }],
    });
    onTestFinished(async () => void (await db.database.query(sql`DELETE FROM outbox`)));
    const { sessions } = await openSessions(first.redis);
    expect(await sessions.authenticate(sessionCredential(bob))).toMatchObject({ userId: BOB.id });
    await expect(sessions.authenticate(sessionCredential(ada))).rejects.toBeInstanceOf(
      ServiceUnavailable,
    );
  });
});
