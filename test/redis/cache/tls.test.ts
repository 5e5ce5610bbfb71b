/**
 * The contract of the cache over TLS, as the user of docs/redis-acl.md, who may do nothing else.
 */
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { StartupError } from "../../../src/domain/errors.js";
import { createAttempts } from "../../../src/redis/attempts/attempts.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { createBoardStore } from "../../../src/redis/leaderboard/leaderboard.js";
import { createSessionStore } from "../../../src/redis/session/session.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";
import { type RedisServer, startRedisServer } from "../../support/redis-server.js";
import { accountSettings } from "../../support/settings.js";
import { otherCaFile, tlsFiles } from "../../support/tls.js";
import { useBoard } from "../leaderboard/leaderboard.fixture.js";
import { listedIds, newSession, SESSION_OPTIONS } from "../session/session.fixture.js";
import { describeCache } from "./contract.js";

const PASSWORD = "p@ss/wörd%";
const document = readFileSync(new URL("../../../docs/redis-acl.md", import.meta.url), "utf8");
const rules = /```acl\n([^`]+)```/.exec(document)?.[1]?.trim().split(/\s+/) ?? [];

let server: RedisServer;
let admin: Redis;
let url: string;
beforeAll(async () => {
  server = await startRedisServer({ tls: tlsFiles });
  admin = new Redis(server.url, { tls: { rejectUnauthorized: false } });
  await admin.call("ACL", "SETUSER", "souk", "on", `>${PASSWORD}`, ...rules);
  url = server.url.replace("rediss://", `rediss://souk:${encodeURIComponent(PASSWORD)}@`);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

describeCache("over TLS, as a user with the documented rights", () => ({
  // The user may touch no other prefix, so tests follow each other on an empty server.
  async place() {
    await admin.flushall();
    return { url, keys: createKeys() };
  },
  options: { caFile: tlsFiles.caFile },
}));

it("Sessions and attempts work over TLS with the documented rights.", async () => {
  const souk = connectRedis({ url, caFile: tlsFiles.caFile, role: "requests", log: testLog() });
  await whenReady(souk, 30_000);
  await useSessions(souk);
  const attempts = createAttempts(testCaller(souk), createKeys(), accountSettings().attempts);
  const attempt = { id: "one", account: "ada@test.example", ip: "192.0.2.1" };
  expect([await attempts.signIn(attempt), await attempts.signUp(attempt)]).toEqual([null, null]);
  await attempts.forgive(attempt);
  souk.disconnect();
});

it("Leaderboards work over TLS with the documented rights.", async () => {
  const souk = connectRedis({ url, caFile: tlsFiles.caFile, role: "requests", log: testLog() });
  await whenReady(souk, 30_000);
  await useBoard(createBoardStore(testCaller(souk), createKeys()));
  souk.disconnect();
});

/** Everything that a store of sessions does. */
async function useSessions(souk: ReturnType<typeof connectRedis>): Promise<void> {
  const store = createSessionStore(testCaller(souk), createKeys(), SESSION_OPTIONS);
  await store.load("tag", { epoch: 1, revokedIds: ["gone"] });
  await store.loadRevokedBefore(0);
  for (const id of ["a", "b", "c"])
    expect(await store.create(newSession("tag", id))).toMatchObject({ leftMs: expect.any(Number) });
  expect(await store.touch("tag", "a")).not.toBeNull();
  expect(await store.revoke({ kind: "session", userId: 7, userTag: "tag", sessionId: "a" })).toBe(
    1,
  );
  expect(
    await store.revoke({ kind: "user", userId: 7, userTag: "tag", epoch: 2, keptId: "b" }),
  ).toBe(1);
  expect(await listedIds(store, "tag")).toEqual(["b"]);
  await store.revoke({ kind: "everyone", beforeMs: 1 });
}

it("No right was needed that is not documented.", async () => {
  const refusals = (await admin.call("ACL", "LOG")) as string[][];
  // Newer servers know CLIENT SETINFO, which ioredis may do without.
  expect(refusals.filter((refusal) => !refusal.includes("client|setinfo"))).toEqual([]);
});

it("The documented rights allow nothing else.", async () => {
  const souk = connectRedis({
    url,
    caFile: tlsFiles.caFile,
    role: "requests",
    log: testLog(),
  }) as Redis;
  await whenReady(souk, 30_000);
  for (const command of [
    ["FLUSHALL"],
    ["CONFIG", "GET", "*"],
    ["KEYS", "*"],
    ["GET", "other"],
    ["PUBLISH", "other", ""],
    ["ACL", "LIST"],
  ]) {
    await expect(souk.call(...(command as [string]))).rejects.toThrow("NOPERM");
  }
  souk.disconnect();
});

it("A server whose certificate another CA signed is refused.", async () => {
  const stranger = connectRedis({ url, caFile: otherCaFile, role: "requests", log: testLog() });
  await expect(whenReady(stranger, 1_000)).rejects.toThrow(StartupError);
  stranger.disconnect();
});
