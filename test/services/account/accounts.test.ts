/** Signing in: what it costs for whom, and what it mends on the way. */
import type { SQL } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuditTable } from "../../../src/db/account/audit.js";
import { createUserTable } from "../../../src/db/account/users.js";
import type { Database } from "../../../src/db/client/database.js";
import { type Attempts, createAttempts } from "../../../src/redis/attempts/attempts.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createAccounts } from "../../../src/services/account/accounts.js";
import { createPasswords, type Passwords } from "../../../src/services/account/passwords.js";
import {
  createSignInGuard,
  type SignInGuard,
} from "../../../src/services/account/sign-in-guard.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { testRedis } from "../../support/redis.js";
import { accountSettings } from "../../support/settings.js";

const ORIGIN = { device: "a test", ip: "127.0.0.1", requestId: "r" };
const silent = { signIn() {} };
const COST = { memoryKib: 19 * 1024, passes: 2, concurrency: 2, queue: 100 };

let db: TestDatabase;
let redis: ReturnType<typeof connectRedis>;
let attempts: Attempts;
beforeAll(async () => {
  db = await testDatabase();
  const { url, keys } = testRedis();
  redis = connectRedis({ url, role: "requests", log: testLog() });
  await whenReady(redis, 30_000);
  attempts = createAttempts(testCaller(redis), keys, {
    ...accountSettings().attempts,
    delayMs: 600_000,
    maxDelayMs: 600_000,
  });
});
afterAll(async () => {
  redis.disconnect();
  await db.close();
});

/**
 * Accounts that count: statements, what was asked of Argon2, and questions to
 * the guard.
 */
function countingAccounts(cost = COST) {
  const none = { statements: 0, hashes: 0, verifications: 0, attempts: 0 };
  const counts = { ...none, refusals: [] as [string, number | null][] };
  const database: Database = {
    ...db.database,
    query: <Row extends object>(statement: SQL) => {
      counts.statements += 1;
      return db.database.query<Row>(statement);
    },
  };
  const real = createPasswords(cost);
  const passwords: Passwords = {
    ...real,
    hash: (password) => {
      counts.hashes += 1;
      return real.hash(password);
    },
    matches: (password, hash) => {
      counts.verifications += 1;
      return real.matches(password, hash);
    },
  };
  const unwatched = createSignInGuard(attempts, silent);
  const guard: SignInGuard = {
    ...unwatched,
    signIn: (attempt) => {
      counts.attempts += 1;
      return unwatched.signIn(attempt);
    },
  };
  const accounts = createAccounts({
    guard,
    database,
    users: createUserTable(database),
    passwords,
    sessions: {
      open: async ({ user }) => ({
        token: "t",
        principal: {
          kind: "user",
          userId: user.id,
          userTag: user.tag,
          role: user.role,
          sessionId: "s",
          leftMs: 1,
        },
      }),
    },
    revocations: { together: async () => null, signOut: async () => true },
    audit: createAuditTable(database, { keptMs: 1_000_000 }),
    refused: { note: (event, userId) => counts.refusals.push([event, userId]) },
  });
  const countOf = async (work: () => Promise<unknown>) => {
    Object.assign(counts, none);
    await work();
    const { refusals: _, ...cost } = counts;
    return cost;
  };
  return { accounts, countOf, refusals: counts.refusals };
}

describe("signing in", () => {
  it("An address without account takes the statements and hashing of a known one.", async () => {
    const { accounts, countOf, refusals } = countingAccounts();
    await accounts.signUp(
      { email: "known@test.example", password: "correct horse", name: "Known" },
      ORIGIN,
    );
    const attempt = (email: string) =>
      countOf(() => accounts.signIn({ email, password: "wrong password" }, ORIGIN));
    const [known, unknown] = [
      await attempt("known@test.example"),
      await attempt("unknown@test.example"),
    ];
    expect(known).toEqual({ statements: 1, hashes: 0, verifications: 1, attempts: 1 });
    expect(unknown).toEqual(known);
    // The log has the account that was meant, and nothing of an address without
    // one.
    expect(refusals).toEqual([
      ["sign_in_refused", expect.any(Number)],
      ["sign_in_refused", null],
    ]);
  });

  it("A correct password is hashed again, once, when the configuration asks for more.", async () => {
    const person = { email: "grown@test.example", password: "correct horse" };
    await countingAccounts().accounts.signUp({ ...person, name: "Grown" }, ORIGIN);
    const { accounts, countOf } = countingAccounts({ ...COST, passes: 3 });
    const signIn = () => countOf(() => accounts.signIn(person, ORIGIN));
    // The last statement of both is the entry of the audit log.
    expect(await signIn()).toEqual({ statements: 3, hashes: 1, verifications: 1, attempts: 1 });
    expect(await signIn()).toEqual({ statements: 2, hashes: 0, verifications: 1, attempts: 1 });
    const account = await createUserTable(db.database).accountByEmail(person.email);
    expect(account?.passwordHash).toContain("t=3");
  });

  it.each(["guessed@test.example", "nobody@test.example"])(
    "Sign-in of %s is refused unread after too many failures, without a hash.",
    async (email) => {
      const { accounts, countOf } = countingAccounts();
      await accounts.signUp(
        { email: "guessed@test.example", password: "correct horse", name: "Guessed" },
        ORIGIN,
      );
      const attempt = (password: string) => accounts.signIn({ email, password }, ORIGIN);
      for (let failure = 0; failure < 5; failure++) await attempt("wrong password");
      const cost = await countOf(() =>
        expect(attempt("correct horse")).rejects.toMatchObject({
          code: "RATE_LIMITED",
          retryAfterMs: expect.any(Number),
        }),
      );
      expect(cost).toEqual({ statements: 0, hashes: 0, verifications: 0, attempts: 1 });
    },
  );

  it("An input longer than any password is not hashed.", async () => {
    const { accounts, countOf } = countingAccounts();
    const cost = await countOf(() =>
      accounts.signIn({ email: "known@test.example", password: "x".repeat(10_000) }, ORIGIN),
    );
    expect(cost).toEqual({ statements: 0, hashes: 0, verifications: 0, attempts: 0 });
  });
});
