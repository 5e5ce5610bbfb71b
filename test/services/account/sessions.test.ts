/** Sessions over a real Redis: what a use writes, and whose clock decides. */
import { Redis } from "ioredis";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  ANONYMOUS,
  type Principal,
  SERVICE,
  UNKNOWN,
} from "../../../src/domain/account/principal.js";
import { DAY, MINUTE, SECOND } from "../../../src/domain/time/time.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createSessionStore } from "../../../src/redis/session/session.js";
import { sessionCredential } from "../../../src/services/account/credential.js";
import { createSessionReload } from "../../../src/services/account/session-reload.js";
import { createSessions } from "../../../src/services/account/sessions.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";
import { testRedis } from "../../support/redis.js";
import { startRedisServer } from "../../support/redis-server.js";

const ACCOUNT = {
  user: {
    id: 7,
    tag: "sixteen-chars-ok",
    email: "ada@test.example",
    name: "Ada",
    role: "CUSTOMER" as const,
    createdAt: "",
  },
  passwordHash: "",
  sessions: { epoch: 1, revokedIds: [] },
};
const ORIGIN = { device: "a test", ip: "127.0.0.1" };

afterEach(() => void vi.useRealTimers());

/** Sessions on a server of their own, whose commands are counted. */
async function openSessions() {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const { keys } = testRedis();
  const connection = connectRedis({ url: server.url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const store = createSessionStore(testCaller(connection), keys, {
    idleMs: 30 * MINUTE,
    capMs: 7 * DAY,
    noteEveryMs: MINUTE,
    maxSessions: 10,
  });
  const trust = createSessionReload({
    store,
    revocations: {
      stateOf: async () => ({ epoch: 1, revokedIds: [] }),
      revokedBefore: async () => 0,
    },
    outboxTable: { ofKind: async () => [] },
    failClosed: async () => [],
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
  const key = (id: string) => keys.session(ACCOUNT.user.tag, id);
  return {
    sessions,
    server,
    /** As on another server, to which no epoch was loaded. */
    forgetEpoch: () => admin.set(keys.sessionEpoch(ACCOUNT.user.tag), "1@abc"),
    admin,
    key,
    revokeAll: (epoch: number) =>
      store.revoke({ kind: "user", userId: 7, userTag: ACCOUNT.user.tag, epoch, keptId: null }),
    /** Commands that the server has carried out meanwhile, by name. */
    async commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
      await admin.config("RESETSTAT");
      await work();
      const stats = (await admin.info("commandstats")).matchAll(/cmdstat_([\w|]+):calls=(\d+)/g);
      return Object.fromEntries([...stats].map(([, name, calls]) => [name, Number(calls)]));
    },
    /** As if the session had been used so long ago. */
    async usedAgo(id: string, ms: number): Promise<void> {
      await admin.hincrby(key(id), "seen", -ms);
    },
  };
}

describe("the use of a session", () => {
  it("The use of a session is written once a minute at most, for any number of requests.", async () => {
    const { sessions, commandsOf, usedAgo, admin, key } = await openSessions();
    const { token, principal } = await sessions.open(ACCOUNT, ORIGIN);
    const useOften = () =>
      Promise.all(
        Array.from({ length: 50 }, () => sessions.authenticate(sessionCredential(token))),
      );
    const writes = ({ hset = 0, pexpireat = 0, zadd = 0 }: Record<string, number>) => ({
      hset,
      pexpireat,
      zadd,
    });
    expect(writes(await commandsOf(useOften))).toEqual({ hset: 0, pexpireat: 0, zadd: 0 });
    await usedAgo(principal.sessionId, MINUTE - 10 * SECOND);
    expect(writes(await commandsOf(useOften))).toEqual({ hset: 0, pexpireat: 0, zadd: 0 });
    await usedAgo(principal.sessionId, 20 * SECOND);
    expect(writes(await commandsOf(useOften))).toEqual({ hset: 1, pexpireat: 1, zadd: 1 });
    expect(Number(await admin.hget(key(principal.sessionId), "seen"))).toBeGreaterThan(
      Date.now() - MINUTE / 2,
    );
  });

  it("A look-up within the minute costs one round trip and no write.", async () => {
    const { sessions, commandsOf } = await openSessions();
    const { token } = await sessions.open(ACCOUNT, ORIGIN);
    await sessions.authenticate(sessionCredential(token));
    expect(await commandsOf(() => sessions.authenticate(sessionCredential(token)))).toMatchObject({
      evalsha: 1,
      hmget: 1,
      zscore: 1,
    });
  });
});

describe("a sign-in that a revocation overtakes", () => {
  it("A sign-in that a revocation overtakes opens no session.", async () => {
    const { sessions, revokeAll } = await openSessions();
    await sessions.open(ACCOUNT, ORIGIN);
    await revokeAll(2);
    await expect(sessions.open(ACCOUNT, ORIGIN)).rejects.toMatchObject({
      code: "SERVICE_UNAVAILABLE",
      message: expect.stringContaining("ended just now"),
    });
    await sessions.open({ ...ACCOUNT, sessions: { epoch: 2, revokedIds: [] } }, ORIGIN);
  });
});

describe("the clock of a process", () => {
  it("The clock of a process neither ends nor prolongs a session.", async () => {
    const { sessions, usedAgo } = await openSessions();
    const { token, principal } = await sessions.open(ACCOUNT, ORIGIN);
    const { leftMs } = principal;
    for (const skew of [400 * DAY, -400 * DAY]) {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + skew });
      await usedAgo(principal.sessionId, 2 * MINUTE);
      const found = await sessions.authenticate(sessionCredential(token));
      expect(found?.leftMs).toBeGreaterThan(leftMs - MINUTE);
      expect(found?.leftMs).toBeLessThan(31 * MINUTE);
      vi.useRealTimers();
    }
  });
});

describe("the sessions of an account", () => {
  it("An admin sees the sessions of an account where Redis must be loaded first.", async () => {
    const { sessions, forgetEpoch } = await openSessions();
    const { principal } = await sessions.open(ACCOUNT, ORIGIN);
    await forgetEpoch();
    expect(await sessions.listOf(SERVICE, ACCOUNT.user.tag)).toMatchObject([
      { id: principal.sessionId, ...ORIGIN },
    ]);
    await forgetEpoch();
    expect(await sessions.list(principal)).toHaveLength(1);
  });

  it("Without Redis the sessions of an account are unknown, never none.", async () => {
    const { sessions, server } = await openSessions();
    await sessions.open(ACCOUNT, ORIGIN);
    await server.kill();
    await expect(sessions.listOf(SERVICE, ACCOUNT.user.tag)).rejects.toMatchObject({
      code: "SERVICE_UNAVAILABLE",
    });
  });

  it("Only admins see the sessions of another account.", async () => {
    const { sessions } = await openSessions();
    const { principal } = await sessions.open(ACCOUNT, ORIGIN);
    const listAs = (caller: Principal) => sessions.listOf(caller, ACCOUNT.user.tag);
    await expect(listAs(ANONYMOUS)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect(listAs(principal)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(listAs(UNKNOWN)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    expect(await listAs({ ...principal, role: "ADMIN" })).toHaveLength(1);
  });
});
