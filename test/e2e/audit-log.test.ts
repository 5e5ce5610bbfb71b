/**
 * The audit log of a running shop: every sign-in and revocation, together with what it tells, and
 * no secret.
 */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SIGN_IN, SIGN_UP, type SignedIn, signIn, signUp, whoIs } from "../support/accounts.js";
import { ADMIN_TOKEN, type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";

interface Row {
  readonly event: string;
  readonly user_id: number | null;
  readonly by_service: boolean;
  readonly by_user_id: number | null;
  readonly session_id: string | null;
  readonly ip: string | null;
  readonly device: string | null;
  readonly request_id: string | null;
  readonly detail: string | null;
  readonly count: number;
}

let database: TestDatabase;
let app: RunningApp;
beforeAll(async () => {
  database = await seededDatabase(0);
  app = await startApp({ database });
});
afterAll(async () => {
  await app.close();
  await database.close();
});

const REVOKE_ALL =
  "mutation A($input: RevokeAllInput!) { revokeAllSessions(input: $input) { errors { code } } }";
const CHANGE =
  "mutation C($input: ChangePasswordInput!) { changePassword(input: $input) { token errors { " +
  "code } } }";

const keyOf = ({ id }: SignedIn): number =>
  Number(Buffer.from(id, "base64url").toString().split(":")[1]);
const rowsOf = (account: SignedIn): Promise<Row[]> =>
  database.database.query<Row>(
    sql`SELECT * FROM audit_log WHERE user_id = ${keyOf(account)} ORDER BY id`,
  );
const eventsOf = async (account: SignedIn) => (await rowsOf(account)).map(({ event }) => event);
const run = (query: string, token: string, variables = {}) =>
  post(app.url, query, variables, { token });
const sessionsOf = async (token: string) =>
  (await run("{ viewer { sessions { id current } } }", token)).data.viewer!.sessions as unknown as {
    id: string;
    current: boolean;
  }[];

it("The audit log records user, action, address and request of each entry.", async () => {
  const account = await signUp(app.url);
  const second = await signIn(app.url, account);
  const ids = await sessionsOf(second);
  const [mine, first] = [
    ids.find(({ current }) => current)!.id,
    ids.find(({ current }) => !current)!.id,
  ];
  await run("mutation R($id: ID!) { revokeSession(id: $id) { errors { code } } }", second, {
    id: first,
  });
  await run("mutation { revokeOtherSessions { errors { code } } }", second);
  const changed = await run(CHANGE, second, {
    input: { currentPassword: account.password, newPassword: "another password" },
  });
  const third = String(changed.data.changePassword!.token);
  const last = (await sessionsOf(third))[0]!.id;
  await run("mutation { signOut { signedOut } }", third);
  await run(REVOKE_ALL, ADMIN_TOKEN, { input: { userId: account.id } });
  const rows = await rowsOf(account);
  const by = { by_service: false, by_user_id: keyOf(account) };
  expect(
    rows.map(({ event, session_id, by_service, by_user_id }) => ({
      event,
      session_id,
      by_service,
      by_user_id,
    })),
  ).toEqual([
    { event: "signed_up", session_id: null, ...by },
    { event: "signed_in", session_id: first, ...by },
    { event: "signed_in", session_id: mine, ...by },
    { event: "session_revoked", session_id: first, ...by },
    { event: "other_sessions_revoked", session_id: mine, ...by },
    { event: "password_changed", session_id: mine, ...by },
    { event: "signed_in", session_id: last, ...by },
    { event: "signed_out", session_id: last, ...by },
    { event: "all_sessions_revoked", session_id: null, by_service: true, by_user_id: null },
  ]);
  for (const { ip, device, request_id, count } of rows) {
    expect({ ip, device, request_id, count }).toEqual({
      ip: "127.0.0.1",
      device: "node",
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      count: 1,
    });
  }
});

it("The audit log records until when all sessions were revoked.", async () => {
  const issuedBefore = "2020-01-01T00:00:00.000Z";
  await run(REVOKE_ALL, ADMIN_TOKEN, { input: { issuedBefore } });
  const [row] = await database.database.query<Row>(
    sql`SELECT * FROM audit_log WHERE event = 'global_revocation'`,
  );
  expect(row).toMatchObject({ user_id: null, by_service: true, detail: issuedBefore });
});

it("The audit log records nothing that was refused or changed nothing.", async () => {
  const [mine, other] = [await signUp(app.url), await signUp(app.url)];
  const [theirs] = await sessionsOf(other.token);
  await run("mutation R($id: ID!) { revokeSession(id: $id) { errors { code } } }", mine.token, {
    id: theirs!.id,
  });
  await run(REVOKE_ALL, mine.token, { input: { userId: other.id } });
  await run(CHANGE, mine.token, {
    input: { currentPassword: mine.password, newPassword: "short" },
  });
  expect([await eventsOf(mine), await eventsOf(other)]).toEqual([
    ["signed_up", "signed_in"],
    ["signed_up", "signed_in"],
  ]);
});

it("Without the audit log no revocation, sign-in or sign-up takes effect.", async () => {
  const account = await signUp(app.url);
  await database.database.query(sql`ALTER TABLE audit_log RENAME TO audit_log_away`);
  try {
    for (const query of [
      "mutation { signOut { signedOut } }",
      "mutation { revokeOtherSessions { errors { code } } }",
    ])
      expect((await run(query, account.token)).errors).toHaveLength(1);
    const signedIn = await post(app.url, SIGN_IN, {
      input: { email: account.email, password: account.password, deliver: "TOKEN" },
    });
    expect(JSON.stringify(signedIn)).not.toContain(account.token.split(".")[0]);
    const unseen = { email: "unseen@test.example", password: "correct horse", name: "Unseen" };
    expect(
      (await post(app.url, SIGN_UP, { input: { ...unseen, deliver: "TOKEN" } })).errors,
    ).toHaveLength(1);
  } finally {
    await database.database.query(sql`ALTER TABLE audit_log_away RENAME TO audit_log`);
  }
  expect(await whoIs(app.url, account.token)).toBe(account.email);
  expect(
    await database.database.query(sql`SELECT id FROM users WHERE email = 'unseen@test.example'`),
  ).toEqual([]);
  await run("mutation { signOut { signedOut } }", account.token);
  expect([await eventsOf(account), await whoIs(app.url, account.token)]).toEqual([
    ["signed_up", "signed_in", "signed_out"],
    "UNAUTHENTICATED",
  ]);
});

it("The audit log holds no secrets or addresses, and counts refusals upon a stop.", async () => {
  const other = await startApp({ database });
  const account = await signUp(other.url);
  const attempt = (email: string, password: string) =>
    post(other.url, SIGN_IN, { input: { email, password, deliver: "TOKEN" } });
  await attempt(account.email, "a wrong guess");
  await attempt(account.email, "another guess");
  await attempt("nobody-at-all@test.example", "a wrong guess");
  await attempt(account.email, "x".repeat(5_000));
  await post(
    other.url,
    CHANGE,
    { input: { currentPassword: "a wrong guess", newPassword: "a new password" } },
    { token: account.token },
  );
  await other.close();
  expect((await rowsOf(account)).map(({ event, ip, count }) => [event, ip, count])).toEqual([
    ["signed_up", "127.0.0.1", 1],
    ["signed_in", "127.0.0.1", 1],
    ["sign_in_refused", "127.0.0.1", 2],
    ["password_change_refused", "127.0.0.1", 1],
  ]);
  const nobodys = await database.database.query<Row>(
    sql`SELECT * FROM audit_log WHERE user_id IS NULL AND event = 'sign_in_refused'`,
  );
  expect(nobodys.map(({ ip, count }) => [ip, count])).toEqual([["127.0.0.1", 2]]);
  const everything = JSON.stringify(await database.database.query(sql`SELECT * FROM audit_log`));
  for (const secret of [
    account.token,
    account.token.split(".")[1]!,
    account.password,
    "guess",
    "nobody-at-all",
    "@test.example",
  ])
    expect(everything).not.toContain(secret);
});
