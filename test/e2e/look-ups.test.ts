/**
 * Look-ups of admins over a running shop: who finds which account, where it is signed in, and what
 * the audit log has of it; and who finds nothing.
 */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { SIGN_IN, SIGN_UP, type SignedIn, signIn, signUp } from "../support/accounts.js";
import { ADMIN_TOKEN, type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { type Answer, post } from "../support/graphql.js";
import { rememberingLog } from "../support/log.js";
import type { TestDatabase } from "../support/postgres.js";
import { startRedisServer, testRedis } from "../support/redis.js";
import { keysBelow } from "../support/redis-topology.js";

const USERS =
  "query U($text: String, $first: Int, $after: String) { users(text: $text, first: $first, " +
  "after: $after) { totalCount edges { cursor node { email user { id name role createdAt } } } " +
  "pageInfo { hasNextPage hasPreviousPage endCursor } } }";
const USER =
  "query U($id: ID!) { user(id: $id) { email user { id name } sessions { id current device ip " +
  "createdAt lastSeenAt expiresAt } } }";
const AUDIT_LOG =
  "query A($userId: ID, $event: AuditEvent, $first: Int, $after: String) { auditLog(userId: " +
  "$userId, event: $event, first: $first, after: $after) { totalCount edges { cursor node { at " +
  "event count userId user { id name } byService byUserId byUser { id } ip device sessionId " +
  "requestId issuedBefore } } pageInfo { hasNextPage endCursor } } }";
const LOOK_UPS: readonly (readonly [query: string, variables: Record<string, unknown>])[] = [
  [USERS, { text: "ada" }],
  [USER, { id: Buffer.from("User:1").toString("base64url") }],
  [AUDIT_LOG, {}],
];

let database: TestDatabase;
let app: RunningApp;
/** An account with the role ADMIN. */
let admin: SignedIn;
beforeAll(async () => {
  database = await seededDatabase(0);
  app = await startApp({ database });
  admin = await signUpAdmin(app.url);
});
afterAll(async () => {
  await app.close();
  await database.close();
});

/** The role stands in the session, so it is given before the session is opened. */
async function signUpAdmin(url: string): Promise<SignedIn> {
  const account = await signUp(url);
  await database.database.query(
    sql`UPDATE users SET role = 'ADMIN' WHERE email = ${account.email}`,
  );
  return { ...account, token: await signIn(url, account) };
}

async function signUpAs(name: string, email: string): Promise<SignedIn> {
  const password = "correct horse";
  const input = { email, password, name, deliver: "TOKEN" };
  const { viewer, token, errors } = (await post(app.url, SIGN_UP, { input })).data.signUp!;
  expect(errors).toEqual([]);
  return { id: String(viewer!.user!.id), email, password, token: String(token) };
}

const ask = (query: string, variables: Record<string, unknown> = {}, token = ADMIN_TOKEN) =>
  post(app.url, query, variables, { token });
/** Whether an answer comes from a store, or may be kept in one. */
const isKept = ({ headers }: Response): boolean =>
  ["cache-control", "cache-status", "etag"].some((name) =>
    /public|max-age|hit|"/.test(headers.get(name) ?? ""),
  );
const codeOf = ({ errors }: Answer) => errors?.[0]?.extensions.code;

interface Page {
  readonly totalCount: number | null;
  readonly edges: readonly { cursor: string; node: { email: string; user: { name: string } } }[];
  readonly pageInfo: { hasNextPage: boolean; endCursor: string | null };
}
async function findUsers(variables: Record<string, unknown>, token?: string): Promise<Page> {
  const { data, errors } = await ask(USERS, variables, token);
  expect(errors).toBeUndefined();
  return data.users as unknown as Page;
}
const namesOf = ({ edges }: Page) => edges.map(({ node }) => node.user.name);

describe("users", () => {
  it("A text finds accounts by words of the name and by the beginning of the address.", async () => {
    await signUpAs("Zoë Ångström-Ωmega", "zoë.first@look.example");
    await signUpAs("Per Cent", "100%_sure@look.example");
    await signUpAs("Zoe Other", "1000xsure@look.example");
    const found = async (text: string) => namesOf(await findUsers({ text }));
    for (const text of ["zoë", "ZOË", "ångs", "ZOË ång", "ång zoë", "ωMEGA", " zoë  ÅNG "])
      for (const form of ["NFC", "NFD"] as const)
        expect([text, await found(text.normalize(form))]).toEqual([text, ["Zoë Ångström-Ωmega"]]);
    for (const text of ["ZOË.FIRST@", "zoë.first@look.example", "zoe\u0308.fi"])
      expect([text, await found(text)]).toEqual([text, ["Zoë Ångström-Ωmega"]]);
    for (const text of ["100%", "100%_sure"])
      expect([text, await found(text)]).toEqual([text, ["Per Cent"]]);
    for (const text of ["%", "_", "\\", "oë", "first@look", "zoë cent", "' OR 1=1 --", "a:* | b"])
      expect([text, await found(text)]).toEqual([text, []]);
  });

  it("A blank text filters nothing, and what is no text is refused.", async () => {
    const all = namesOf(await findUsers({ first: 100 }));
    for (const text of ["", "  ", "\u200b", null])
      expect(namesOf(await findUsers({ text, first: 100 }))).toEqual(all);
    for (const text of ["a\0", "\ud800", "x".repeat(201)])
      expect(codeOf(await ask(USERS, { text }))).toBe("BAD_USER_INPUT");
  });

  it("Pages hold every account once, the newest first, also while others sign up.", async () => {
    const emails = ["a", "b", "c", "d", "e"].map((letter) => `page-${letter}@look.example`);
    for (const email of emails) await signUpAs("Paged", email);
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page: Page = await findUsers({ text: "page-", first: 2, after });
      seen.push(...page.edges.map(({ node }) => node.email));
      expect(page.totalCount).toBeGreaterThanOrEqual(5);
      [after, more] = [page.pageInfo.endCursor, page.pageInfo.hasNextPage];
      await signUpAs("Paged", `page-late-${seen.length}@look.example`);
    }
    expect(seen).toEqual(emails.toReversed());
  });

  it("A cursor of another list, and a size out of bounds, are refused.", async () => {
    const { pageInfo } = await findUsers({ first: 1 });
    expect(codeOf(await ask(USERS, { text: "other", after: pageInfo.endCursor }))).toBe(
      "BAD_USER_INPUT",
    );
    expect(codeOf(await ask(AUDIT_LOG, { after: pageInfo.endCursor }))).toBe("BAD_USER_INPUT");
    for (const first of [0, 101, -1])
      for (const query of [USERS, AUDIT_LOG])
        expect(codeOf(await ask(query, { first }))).toBe("BAD_USER_INPUT");
  });
});

describe("user", () => {
  it("An account is shown with its address and its sessions, the latest first.", async () => {
    const account = await signUp(app.url);
    await signIn(app.url, account);
    for (const token of [ADMIN_TOKEN, admin.token]) {
      const { user } = (await ask(USER, { id: account.id }, token)).data;
      expect(user).toMatchObject({
        email: account.email,
        user: { id: account.id, name: "Tess Tester" },
        sessions: [
          { current: false, device: "node", ip: "127.0.0.1" },
          { current: false, device: "node", ip: "127.0.0.1" },
        ],
      });
      expect(JSON.stringify(user)).not.toContain(account.token);
    }
    await ask("mutation R($id: ID!) { revokeAllSessions(input: { userId: $id }) { revoked } }", {
      id: account.id,
    });
    expect((await ask(USER, { id: account.id })).data.user!.sessions).toEqual([]);
  });

  it("The session of an admin is the current one in their own account alone.", async () => {
    const { user } = (await ask(USER, { id: admin.id }, admin.token)).data;
    const sessions = user!.sessions as unknown as { current: boolean }[];
    expect(sessions.map(({ current }) => current).sort()).toEqual([false, true]);
  });

  it("An unknown account is null, and so is what is no id of a user.", async () => {
    for (const id of ["User:999999999", "Product:1", "User:0", "nonsense"].map((text) =>
      Buffer.from(text).toString("base64url"),
    ))
      expect(await ask(USER, { id })).toMatchObject({ data: { user: null }, status: 200 });
  });

  it("Without Redis the sessions are unavailable, and the account is still found.", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const shop = await startApp({ database, redisUrl: redis.url, keyPrefix: "" });
    onTestFinished(() => shop.close());
    const { id, email } = await signUp(shop.url);
    await redis.kill();
    const read = (query: string) => post(shop.url, query, { id }, { token: ADMIN_TOKEN });
    const answer = await read(USER);
    expect([answer.data.user, codeOf(answer)]).toEqual([null, "SERVICE_UNAVAILABLE"]);
    expect((await read("query U($id: ID!) { user(id: $id) { email } }")).data.user).toEqual({
      email,
    });
  });
});

describe("auditLog", () => {
  it("The log of a user holds what happened, the latest first, by user and by event.", async () => {
    const account = await signUp(app.url);
    await ask("mutation { revokeOtherSessions { revoked } }", {}, account.token);
    await ask(
      "mutation R($id: ID!) { revokeAllSessions(input: { userId: $id }) { revoked } }",
      { id: account.id },
      admin.token,
    );
    const { auditLog } = (await ask(AUDIT_LOG, { userId: account.id })).data;
    const entries = auditLog!.edges!.map(({ node }) => node!);
    expect(auditLog!.totalCount).toBe(4);
    expect(entries.map(({ event }) => event)).toEqual([
      "ALL_SESSIONS_REVOKED",
      "OTHER_SESSIONS_REVOKED",
      "SIGNED_IN",
      "SIGNED_UP",
    ]);
    expect(entries[0]).toMatchObject({
      ...{ count: 1, byService: false, byUserId: admin.id, byUser: { id: admin.id } },
      ...{ userId: account.id, user: { id: account.id, name: "Tess Tester" } },
      ...{ ip: "127.0.0.1", device: "node", issuedBefore: null },
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(entries[2]).toMatchObject({ sessionId: expect.any(String), byUserId: account.id });
    const signIns = await ask(AUDIT_LOG, { userId: account.id, event: "SIGNED_IN" });
    expect(signIns.data.auditLog!.edges!.map(({ node }) => node!.event)).toEqual(["SIGNED_IN"]);
    const newest = (await ask(AUDIT_LOG, { first: 1 })).data.auditLog!;
    expect(newest.edges![0]!.node).toEqual(entries[0]);
    const next = (await ask(AUDIT_LOG, { first: 1, after: newest.pageInfo!.endCursor })).data;
    expect(next.auditLog!.edges![0]!.node).toEqual(entries[1]);
  });

  it("Refused sign-ins without an account are listed, with their number and no address.", async () => {
    const other = await startApp({ database });
    const input = { email: "nobody-there@look.example", password: "a guess", deliver: "TOKEN" };
    for (let attempt = 0; attempt < 2; attempt++) await post(other.url, SIGN_IN, { input });
    // Refusals are written at the stop.
    await other.close();
    const answer = await ask(AUDIT_LOG, { event: "SIGN_IN_REFUSED" });
    expect(answer.data.auditLog!.edges![0]!.node).toMatchObject({
      ...{ count: 2, userId: null, user: null, byService: false, byUser: null },
      ...{ ip: "127.0.0.1", device: null, requestId: null, sessionId: null },
    });
    expect(JSON.stringify(answer)).not.toContain("nobody-there");
  });

  it("The log says until when the sessions of all ended, and by whom.", async () => {
    const issuedBefore = "2020-01-01T00:00:00.000Z";
    await ask(
      "mutation R($at: DateTime!) { revokeAllSessions(input: { issuedBefore: $at }) { revoked } }",
      { at: issuedBefore },
    );
    const { auditLog } = (await ask(AUDIT_LOG, { event: "GLOBAL_REVOCATION" })).data;
    expect(auditLog!.edges![0]!.node).toMatchObject({ issuedBefore, byService: true, user: null });
  });

  it("Entries of an account that is gone, or of a later release, do not fail a page.", async () => {
    const gone = Buffer.from("User:888888888").toString("base64url");
    await database.database.query(sql`ALTER TABLE audit_log DROP CONSTRAINT audit_log_event`);
    await database.database.query(sql`INSERT INTO audit_log (event, user_id, by_user_id) VALUES
      ('signed_out', 888888888, 888888888), ('of_tomorrow', 888888888, NULL)`);
    const { data, errors } = await ask(AUDIT_LOG, { userId: gone });
    expect(errors).toBeUndefined();
    expect(data.auditLog!.edges!.map(({ node }) => node!)).toMatchObject([
      { event: "SIGNED_OUT", userId: gone, user: null, byUserId: gone, byUser: null },
    ]);
  });
});

describe("the callers of look-ups", () => {
  it("Only admins look anything up, and nothing is shown beside the refusal.", async () => {
    const { token } = await signUp(app.url);
    for (const [query, variables] of LOOK_UPS) {
      const [anonymous, customer] = [
        await post(app.url, query, variables),
        await ask(query, variables, token),
      ];
      expect([codeOf(anonymous), codeOf(customer)]).toEqual(["UNAUTHENTICATED", "FORBIDDEN"]);
      for (const { data } of [anonymous, customer])
        expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
      expect((await ask(query, variables, admin.token)).errors).toBeUndefined();
    }
  });

  it("Look-ups are neither stored nor cached, however often they are asked.", async () => {
    const { prefix, connect } = testRedis();
    const shop = await startApp({ database, keyPrefix: prefix });
    onTestFinished(() => shop.close());
    const { id, email } = await signUp(shop.url);
    const variables = { text: email, id, userId: id };
    const headers = {
      "content-type": "application/json",
      "apollo-require-preflight": "1",
      authorization: `Bearer ${ADMIN_TOKEN}`,
    };
    for (let time = 0; time < 4; time++)
      for (const [query] of LOOK_UPS) {
        const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
        const body = JSON.stringify({ query, variables });
        for (const response of [
          await fetch(shop.url, { method: "POST", headers, body }),
          await fetch(`${shop.url}?${search}`, { headers }),
        ])
          expect([await response.text(), isKept(response)]).toEqual([
            expect.stringContaining(id),
            false,
          ]);
      }
    const redis = connect();
    const keys = await keysBelow(redis, prefix);
    expect(keys.some((key) => key.includes(":session:"))).toBe(true);
    for (const key of keys)
      expect(key + String((await redis.dumpBuffer(key))?.toString("latin1"))).not.toContain(email);
  });

  it("Each look-up is a line of the log: who, from where, whom; and no address.", async () => {
    const { log, lines } = rememberingLog();
    const shop = await startApp({ database, log });
    onTestFinished(() => shop.close());
    const { id, email } = await signUp(shop.url);
    const key = Number(Buffer.from(id, "base64url").toString().split(":")[1]);
    const token = await signIn(shop.url, admin);
    const byUser = (query: string, variables: object) =>
      post(shop.url, query, { ...variables }, { token });
    await byUser(USERS, { text: email });
    await byUser(USER, { id });
    await post(shop.url, AUDIT_LOG, { userId: id, first: 1 }, { token: ADMIN_TOKEN });
    const adminKey = Number(Buffer.from(admin.id, "base64url").toString().split(":")[1]);
    const noted = lines
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === "an admin looked accounts up");
    const from = {
      level: 30,
      ip: "127.0.0.1",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    };
    const [asUser, asService] = [{ kind: "user", userId: adminKey }, { kind: "service" }];
    const page = { shown: 1, fromId: expect.any(Number), toId: expect.any(Number) };
    expect(noted).toMatchObject([
      { ...from, by: asUser, lookUp: { what: "users", searched: true, ...page } },
      { ...from, by: asUser, lookUp: { what: "user", userId: key } },
      { ...from, by: asUser, lookUp: { what: "sessions", userId: key } },
      { ...from, by: asService, lookUp: { what: "auditLog", userId: key, ...page } },
    ]);
    expect(noted[0].lookUp).toMatchObject({ fromId: key, toId: key });
    expect(JSON.stringify(noted)).not.toContain(email);
  });
});
