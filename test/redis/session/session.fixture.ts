/** Session stores of tests. */
import { onTestFinished } from "vitest";
import {
  connectRedis,
  type RedisConnection,
  whenReady,
} from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import {
  createSessionStore,
  type NewSession,
  type SessionStore,
  type SessionStoreOptions,
} from "../../../src/redis/session/session.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";

/** Long lives, and every use noted. */
export const SESSION_OPTIONS: SessionStoreOptions = {
  idleMs: 600_000,
  capMs: 3_600_000,
  noteEveryMs: 0,
  maxSessions: 10,
};

/** Opens a store on a connection of its own, which goes with the test. */
export function openStore({
  url,
  keys,
  deadlineMs,
  ...options
}: { url: string; keys: Keys; deadlineMs?: number } & Partial<SessionStoreOptions>): {
  store: SessionStore;
  connection: RedisConnection;
} {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  return {
    connection,
    store: createSessionStore(testCaller(connection, { deadlineMs }), keys, {
      ...SESSION_OPTIONS,
      ...options,
    }),
  };
}

/** Opens a store that answers. */
export async function readyStore(
  options: Parameters<typeof openStore>[0],
): Promise<ReturnType<typeof openStore>> {
  const opened = openStore(options);
  await whenReady(opened.connection, 30_000);
  return opened;
}

/** A session to be made. */
export const newSession = (userTag: string, id: string, epoch = 1): NewSession => ({
  id,
  userTag,
  userId: 7,
  role: "CUSTOMER",
  authLevel: 1,
  device: "a test",
  ip: "127.0.0.1",
  epoch,
});

/** Ids of a user's live sessions, sorted; "not-loaded" as it is. */
export async function listedIds(store: SessionStore, userTag: string): Promise<string[] | string> {
  const sessions = await store.list(userTag);
  return typeof sessions === "string" ? sessions : sessions.map(({ id }) => id).sort();
}
