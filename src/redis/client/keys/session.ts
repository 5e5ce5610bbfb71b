import type { KeySubject } from "./spec.js";

export const SESSION_KEYS = {
  folder: "session",
  title: "Sessions",
  owner: "redis/session/session.ts",
  commands: ["zrange"],
  families: {
    session: {
      key: "session:{<user tag>}:<session>",
      type: "hash",
      ttl: "SESSION_IDLE_MS, at most SESSION_CAP_MS since sign-in",
      bound: "live sessions, and for that long those that were revoked together",
      value:
        "Named by the SHA-256 of its token, in base64url; the token itself is nowhere. `user`, " +
        "`role`, `level` (how strongly the user was proved: 1 is a password), `device`, `ip`, " +
        "`epoch`, `created` and `seen` (ms). It counts while its `epoch` is its user's.",
      deleted: "Signs the user out.",
    },
    sessions: {
      key: "sessions:{<user tag>}",
      type: "zset",
      ttl: "SESSION_CAP_MS since the last sign-in",
      bound: "users signed in; SESSION_MAX members each",
      value:
        "Session → when it expires (ms). A session that is not in it is dead, whatever its hash " +
        "says.",
      deleted: "Signs the user out everywhere.",
    },
    sessionEpoch: {
      key: "session-epoch:{<user tag>}",
      type: "string",
      ttl: "SESSION_CAP_MS and a day",
      bound: "users signed in lately",
      value:
        "`<epoch>@<replication id of the server it was loaded on>`; on another server it is read " +
        "from Postgres again.",
      deleted: "It is read from Postgres again.",
    },
    sessionsRevokedBefore: {
      key: "sessions-revoked-before",
      type: "string",
      ttl: "none",
      bound: "one",
      value: "`<ms>@<replication id>`: sessions created before do not count.",
      deleted: "It is read from Postgres again.",
    },
  },
} as const satisfies KeySubject;
