/** The guestbook in Redis: a list of signatures, the latest first. */
import type { RedisConnection } from "../../../src/redis/client/connect.js";
import { type KeySubject, keysOf } from "../../../src/redis/client/keys/spec.js";

export const GUESTBOOK_KEYS = {
  folder: "guestbook",
  title: "Guestbook",
  owner: "test/app/guestbook/store.ts",
  commands: ["llen", "lindex", "lpush", "ltrim"],
  families: {
    guestbook: {
      key: "guestbook:{all}",
      type: "string",
      ttl: "none",
      bound: "GUESTBOOK_MAX signatures",
    },
  },
} as const satisfies KeySubject;

export type GuestbookStore = ReturnType<typeof createGuestbookStore>;

export function createGuestbookStore(
  connection: RedisConnection,
  keyPrefix: string,
  { signaturesMax }: { readonly signaturesMax: number },
) {
  const key = keysOf(keyPrefix, GUESTBOOK_KEYS.families).guestbook();
  return {
    async add(signature: string): Promise<void> {
      await connection.lpush(key, signature);
    },
    async read(): Promise<{ signatures: number; latest: string | null }> {
      const [signatures, latest] = await Promise.all([
        connection.llen(key),
        connection.lindex(key, 0),
      ]);
      return { signatures, latest };
    },
    async trim(): Promise<void> {
      await connection.ltrim(key, 0, signaturesMax - 1);
    },
  };
}
