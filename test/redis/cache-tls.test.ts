/** The contract of the cache over TLS, as the user of docs/redis-acl.md, who may do nothing else. */
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { StartupError } from "../../src/domain/errors.js";
import { connectRedis, whenReady } from "../../src/redis/client.js";
import { createKeys } from "../../src/redis/keys.js";
import { testLog } from "../support/log.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";
import { otherCaFile, tlsFiles } from "../support/tls.js";
import { describeCache } from "./cache-contract.js";

const PASSWORD = "p@ss/wörd%";
const document = readFileSync(new URL("../../docs/redis-acl.md", import.meta.url), "utf8");
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

it("needed no right that is not documented", async () => {
  const refusals = (await admin.call("ACL", "LOG")) as string[][];
  // Newer servers know CLIENT SETINFO, which ioredis may do without.
  expect(refusals.filter((refusal) => !refusal.includes("client|setinfo"))).toEqual([]);
});

it("may do nothing else", async () => {
  const souk = connectRedis({ url, caFile: tlsFiles.caFile, role: "requests", log: testLog() }) as Redis;
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

it("does not talk to a server whose certificate another CA signed", async () => {
  const stranger = connectRedis({ url, caFile: otherCaFile, role: "requests", log: testLog() });
  await expect(whenReady(stranger, 1_000)).rejects.toThrow(StartupError);
  stranger.disconnect();
});
