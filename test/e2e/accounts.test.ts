/** Signing up, in and out over HTTP: tokens, cookies, what is told and what is not. */

import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ask, connectSocket } from "../server/websocket/socket-client.js";
import { SIGN_IN, SIGN_UP, type SignedIn, signIn, signUp, whoIs } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { metric, post } from "../support/graphql.js";
import { testRedis } from "../support/redis.js";
import { keysBelow } from "../support/redis-topology.js";
import { until } from "../support/until.js";

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 20 });
});
afterAll(() => app.close());

const credentials = ({ email, password }: SignedIn) => ({ email, password });

/** Sends one operation and shows the cookies of the answer. */
async function browse(query: string, variables: object, cookie?: string, url = app.url) {
  const headers = { "content-type": "application/json", ...(cookie ? { cookie } : {}) };
  const response = await fetch(url, {
    method: "POST",
    headers,
    body: JSON.stringify({ query, variables }),
  });
  const cookies = response.headers.getSetCookie().filter((text) => text.includes("souk_session"));
  return {
    status: response.status,
    body: (await response.json()) as { data: Record<string, never>; errors?: unknown },
    cookies,
  };
}

const input = (values: object = {}) => ({
  input: {
    email: `${Math.random()}@test.example`,
    password: "correct horse",
    name: "Ada",
    ...values,
  },
});

it("A warm read of the caller's own name asks Postgres nothing, and caches no address.", async () => {
  const { prefix, connect } = testRedis();
  const shop = await startApp({
    products: 5,
    keyPrefix: prefix,
    roles: { api: true, worker: false },
  });
  onTestFinished(() => shop.close());
  const { token, email, id } = await signUp(shop.url);
  const statements = () => metric(shop.url, "souk_sql_statement_seconds_count");
  const read = (query: string) => post(shop.url, query, {}, { token });
  const own = `{ viewer { user { id name role createdAt } } node(id: "${id}") { ... on User { name role } } }`;
  const { data } = await read(own);
  expect(data.viewer!.user).toMatchObject({ id, name: data.node!.name, role: "CUSTOMER" });
  // The use of a session is noted now and then.
  await until("a read without a statement", async () => {
    const before = await statements();
    expect((await read(own)).data).toEqual(data);
    return (await statements()) === before;
  });
  expect((await read("{ viewer { email } }")).data.viewer!.email).toBe(email);
  const redis = connect();
  const keys = await keysBelow(redis, prefix);
  expect(keys.some((key) => key.includes("user:"))).toBe(true);
  for (const key of keys)
    expect(String((await redis.dumpBuffer(key))?.toString("latin1"))).not.toContain(email);
});

it("A session whose account is gone is none, and remembers nothing of another account.", async () => {
  const shop = await startApp({ products: 5, roles: { api: true, worker: false } });
  onTestFinished(() => shop.close());
  const { token } = await signUp(shop.url);
  const read = () => post(shop.url, "{ viewer { user { name } } }", {}, { token });
  const turn = () =>
    shop.database.database.query(sql`UPDATE users SET tag = reverse(tag) WHERE role = 'CUSTOMER'`);
  // As a restored database may give the id to another account.
  await turn();
  expect((await read()).errors?.[0]?.extensions.code).toBe("UNAUTHENTICATED");
  await turn();
  expect((await read()).data.viewer!.user!.name).toEqual(expect.any(String));
  // The name is cached now; the address of another account is not shown either.
  await turn();
  const address = await post(shop.url, "{ viewer { email } }", {}, { token });
  expect([address.data?.viewer ?? null, address.errors?.[0]?.extensions.code]).toEqual([
    null,
    "UNAUTHENTICATED",
  ]);
});

describe("signing in", () => {
  it("A sign-in by cookie hides it from scripts and answers no token.", async () => {
    const { body, cookies } = await browse(SIGN_UP, input());
    expect(body.data.signUp).toMatchObject({
      viewer: { user: { name: "Ada", role: "CUSTOMER" } },
      token: null,
      errors: [],
    });
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(
      /^souk_session=[\w-]{16}\.[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const cookie = cookies[0]!.split(";")[0]!;
    const { body: seen } = await browse(
      "{ viewer { user { name } sessions { current } } }",
      {},
      cookie,
    );
    expect(seen.data.viewer).toEqual({ user: { name: "Ada" }, sessions: [{ current: true }] });
  });

  it("A sign-in by token sets no cookie.", async () => {
    const { body, cookies } = await browse(SIGN_UP, input({ deliver: "TOKEN" }));
    expect(cookies).toEqual([]);
    const { token } = (body.data as unknown as { signUp: { token: string } }).signUp;
    expect(await whoIs(app.url, token)).toMatch(/@test\.example$/);
  });

  it("Each sign-in gives a new id and adopts none that we did not issue.", async () => {
    const account = await signUp(app.url);
    const second = await signIn(app.url, account);
    expect(second).not.toBe(account.token);
    expect(second.split(".")[0]).toBe(account.token.split(".")[0]);
    const planted = `${account.token.split(".")[0]}.${"A".repeat(43)}`;
    expect(await whoIs(app.url, planted)).toBe("UNAUTHENTICATED");
    const { body } = await browse("{ viewer { email } }", {}, `souk_session=${planted}`);
    expect(body).toMatchObject({ data: { viewer: null } });
  });

  it("A wrong password is answered like an address without account.", async () => {
    const { email } = await signUp(app.url);
    const answers = await Promise.all(
      [email, "nobody@test.example"].map((address) =>
        browse(SIGN_IN, { input: { email: address, password: "wrong password" } }),
      ),
    );
    expect(answers[0]!.body.data).toMatchObject({
      signIn: { viewer: null, token: null, errors: [{ code: "BAD_CREDENTIALS" }] },
    });
    // What the address has left is a matter of the moment; what it was charged is not.
    const told = answers.map(({ body }) => JSON.stringify(body).replace(/"remaining":\d+/, ""));
    expect(told[0]).toBe(told[1]);
  });

  it("Signing in with a planted cookie gives another id, and ends the planted one.", async () => {
    const [attacker, victim] = [await signUp(app.url), await signUp(app.url)];
    const { email, password } = victim;
    const { cookies } = await browse(
      SIGN_IN,
      { input: { email, password } },
      `souk_session=${attacker.token}`,
    );
    const issued = /^souk_session=([^;]+)/.exec(cookies[0] ?? "")?.[1] ?? "";
    expect(await whoIs(app.url, issued)).toBe(email);
    expect(await whoIs(app.url, attacker.token)).toBe("UNAUTHENTICATED");
  });

  it("A sign-in as another user leaves a session with its own token alone.", async () => {
    const [one, other] = [await signUp(app.url), await signUp(app.url)];
    const { data } = await post(
      app.url,
      SIGN_IN,
      { input: { ...credentials(other), deliver: "TOKEN" } },
      { token: one.token },
    );
    expect(await whoIs(app.url, String(data.signIn!.token))).toBe(other.email);
    expect(await whoIs(app.url, one.token)).toBe(one.email);
  });

  it("A sign-in by a socket hands out a token and leaves the socket's caller.", async () => {
    const account = await signUp(app.url);
    const socket = await connectSocket(app.wsUrl);
    const signedIn = await ask(socket, {
      query: SIGN_IN,
      variables: { input: { ...credentials(account), deliver: "TOKEN" } },
    });
    expect(signedIn).toMatchObject({
      data: { signIn: { viewer: { email: account.email }, token: expect.stringContaining(".") } },
    });
    expect(await ask(socket, { query: "{ viewer { email } }" })).toMatchObject({
      data: { viewer: null },
    });
    const refused = await ask(socket, {
      query: SIGN_IN,
      variables: { input: credentials(account) },
    });
    expect(refused).toMatchObject({ errors: [{ extensions: { code: "BAD_USER_INPUT" } }] });
    socket.send({ type: "connection_init", payload: { authorization: `Bearer ${account.token}` } });
    expect((await socket.closed).code).toBe(4429);
  });

  it("Sign-in takes any spelling of the address and any characters.", async () => {
    const password = "pässwörd 🔑 \u0301";
    const { body } = await browse(
      SIGN_UP,
      input({ email: "  Some.One@Test.Example ", password, deliver: "TOKEN" }),
    );
    expect(body.data.signUp).toMatchObject({ viewer: { email: "some.one@test.example" } });
    expect(
      await signIn(app.url, {
        email: "SOME.ONE@test.example",
        password: password.normalize("NFD"),
      }),
    ).toMatch(/\./);
  });

  it("Sign-in distinguishes passwords beyond 72 bytes.", async () => {
    const long = "x".repeat(200);
    const made = input({ password: `${long}1` });
    await browse(SIGN_UP, made);
    const { body } = await browse(SIGN_IN, {
      input: { email: made.input.email, password: `${long}2` },
    });
    expect(body.data.signIn).toMatchObject({ errors: [{ code: "BAD_CREDENTIALS" }] });
  });
});

describe("a request", () => {
  it("A request with a token and a cookie is the token's, or nobody's if invalid.", async () => {
    const [one, other] = [await signUp(app.url), await signUp(app.url)];
    const headers = { cookie: `souk_session=${one.token}` };
    const both = await post(app.url, "{ viewer { email } }", {}, { token: other.token, headers });
    expect(both.data).toEqual({ viewer: { email: other.email } });
    const refused = await post(
      app.url,
      "{ viewer { email } }",
      {},
      { token: `${other.token.slice(0, -1)}?`, headers },
    );
    expect([refused.status, refused.errors?.[0]?.extensions.code]).toEqual([
      401,
      "UNAUTHENTICATED",
    ]);
  });
});

describe("over https", () => {
  it("The cookie is for this host and encrypted connections, by that name alone.", async () => {
    const production = await startApp({
      database: app.database,
      env: { NODE_ENV: "production" },
      roles: { api: true, worker: false },
    });
    const { email, password } = await signUp(production.url);
    const { cookies } = await browse(
      SIGN_IN,
      { input: { email, password } },
      undefined,
      production.url,
    );
    const session = /__Host-souk_session=[\w-]{16}\.[\w-]{43}/;
    const attributes = /Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax/;
    expect(cookies).toEqual([
      expect.stringMatching(new RegExp(`^${session.source}; ${attributes.source}$`)),
    ]);
    const cookie = cookies[0]!.split(";")[0]!;
    const who = async (shown: string) =>
      (await browse("{ viewer { email } }", {}, shown, production.url)).body.data.viewer;
    expect(await who(cookie)).toEqual({ email });
    expect(await who(cookie.replace("__Host-", ""))).toBeNull();
    await production.close();
  });
});

describe("what is kept", () => {
  it("Redis holds no token and Postgres no password.", async () => {
    const { prefix, connect } = testRedis();
    const kept = await startApp({ database: app.database, keyPrefix: prefix });
    const { token, password } = await signUp(kept.url);
    expect(await whoIs(kept.url, token)).toMatch(/@/);
    const redis = connect();
    const keys = await keysBelow(redis, prefix);
    expect(keys.some((key) => key.includes(":session:"))).toBe(true);
    const dumps = await Promise.all(
      keys.map(async (key) => key + String((await redis.dumpBuffer(key))?.toString("latin1"))),
    );
    expect(dumps.filter((dump) => dump.includes(token.split(".")[1]!))).toEqual([]);
    const tables = await app.database.database.query<{ text: string }>(
      sql`SELECT (SELECT string_agg(u::text, ' ') FROM users u) ||
        (SELECT coalesce(string_agg(r::text, ' '), '') FROM revoked_sessions r) AS text`,
    );
    expect(tables[0]?.text).toContain("$argon2id$");
    expect(
      [password, token.split(".")[1]!].filter((secret) => tables[0]?.text.includes(secret)),
    ).toEqual([]);
    await kept.close();
  });
});

describe("a change of password", () => {
  const CHANGE =
    "mutation C($input: ChangePasswordInput!) { changePassword(input: $input) { token viewer " +
    "{ email } errors { code field } } }";
  const change = (account: SignedIn, values: object = {}) => ({
    input: { currentPassword: account.password, newPassword: "another password", ...values },
  });

  it("A change of password gives the cookie a new session and answers no token.", async () => {
    const account = await signUp(app.url);
    const { body, cookies } = await browse(
      CHANGE,
      change(account),
      `souk_session=${account.token}`,
    );
    expect(body.data.changePassword).toEqual({
      token: null,
      viewer: { email: account.email },
      errors: [],
    });
    const issued = /^souk_session=([^;]+)/.exec(cookies[0] ?? "")?.[1] ?? "";
    expect([await whoIs(app.url, issued), await whoIs(app.url, account.token)]).toEqual([
      account.email,
      "UNAUTHENTICATED",
    ]);
  });

  it("A change of password by a token sets no cookie.", async () => {
    const account = await signUp(app.url);
    const response = await fetch(app.url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${account.token}` },
      body: JSON.stringify({ query: CHANGE, variables: change(account) }),
    });
    expect(response.headers.getSetCookie().filter((text) => text.includes("souk_session"))).toEqual(
      [],
    );
    const { data } = (await response.json()) as { data: { changePassword: { token: string } } };
    expect(await whoIs(app.url, data.changePassword.token)).toBe(account.email);
  });

  it.each([
    [{ newPassword: "1234567" }, "OUT_OF_RANGE", "newPassword"],
    [{ newPassword: "p".repeat(257) }, "TOO_LONG", "newPassword"],
    [{ currentPassword: "wrong password" }, "BAD_CREDENTIALS", "currentPassword"],
  ])("A change with %j is refused with %s and changes nothing.", async (values, code, field) => {
    const account = await signUp(app.url);
    const { data } = await post(app.url, CHANGE, change(account, values), { token: account.token });
    expect(data.changePassword).toEqual({
      token: null,
      viewer: null,
      errors: [{ code, field: ["input", field] }],
    });
    expect(await whoIs(app.url, account.token)).toBe(account.email);
    expect(await whoIs(app.url, await signIn(app.url, account))).toBe(account.email);
  });

  it("One of two simultaneous changes of password is made.", async () => {
    const account = await signUp(app.url);
    const second = await signIn(app.url, account);
    const answers = await Promise.all(
      [account.token, second].map((token, at) =>
        post(app.url, CHANGE, change(account, { newPassword: `another password ${at}` }), {
          token,
        }),
      ),
    );
    const tokens = answers.flatMap(
      ({ data }) => (data?.changePassword?.token as unknown as string | null) ?? [],
    );
    expect(tokens).toHaveLength(1);
    expect(await whoIs(app.url, tokens[0]!)).toBe(account.email);
  });

  it("A change of password by a socket is refused, because it would end the socket.", async () => {
    const account = await signUp(app.url);
    const socket = await connectSocket(app.wsUrl, { authorization: `Bearer ${account.token}` });
    const refused = await ask(socket, { query: CHANGE, variables: change(account) });
    expect(refused).toMatchObject({ errors: [{ extensions: { code: "BAD_USER_INPUT" } }] });
    expect(await whoIs(app.url, account.token)).toBe(account.email);
    await socket.close();
  });
});

describe("a session that is not used", () => {
  it("It runs out and closes its sockets with the retry code; a used one lives on.", async () => {
    const short = await startApp({
      database: app.database,
      env: { SESSION_IDLE_MS: "2000" },
      roles: { api: true, worker: false },
    });
    const [idle, used] = [await signUp(short.url), await signUp(short.url)];
    const socket = await connectSocket(short.wsUrl, { authorization: `Bearer ${idle.token}` });
    const lifeOf = async (token: string): Promise<number> => {
      const { data } = await post(
        short.url,
        "{ viewer { sessions { createdAt expiresAt } } }",
        {},
        { token },
      );
      const [session] = data.viewer!.sessions as unknown as [
        { createdAt: string; expiresAt: string },
      ];
      return Date.parse(session.expiresAt) - Date.parse(session.createdAt);
    };
    expect(await lifeOf(used.token)).toBe(2_000);
    await until(
      "the used one to live beyond its first end",
      async () => (await lifeOf(used.token)) > 4_000,
    );
    expect((await socket.closed).code).toBe(4403);
    expect(await whoIs(short.url, idle.token)).toBe("UNAUTHENTICATED");
    await short.close();
  });

  it("A session runs out at its cap even when it is used.", async () => {
    const short = await startApp({
      database: app.database,
      env: { SESSION_CAP_MS: "2000" },
      roles: { api: true, worker: false },
    });
    const { token } = await signUp(short.url);
    await until("the cap", async () => (await whoIs(short.url, token)) === "UNAUTHENTICATED");
    await short.close();
  });
});

describe("signing up refuses", () => {
  it.each([
    [{ email: "" }, "REQUIRED", "email"],
    [{ email: "nowhere" }, "INVALID", "email"],
    [{ email: `${"a".repeat(250)}@b.example` }, "TOO_LONG", "email"],
    [{ name: " " }, "REQUIRED", "name"],
    [{ name: "n".repeat(101) }, "TOO_LONG", "name"],
    [{ password: "1234567" }, "OUT_OF_RANGE", "password"],
    [{ password: "p".repeat(257) }, "TOO_LONG", "password"],
  ])("Sign-up refuses %j with %s.", async (values, code, field) => {
    const { data } = await post(app.url, SIGN_UP, input(values));
    expect(data.signUp).toMatchObject({
      viewer: null,
      errors: [{ code, field: ["input", field] }],
    });
  });

  it("Sign-up refuses an address that is taken, whatever its case.", async () => {
    const { email } = await signUp(app.url);
    const { data } = await post(app.url, SIGN_UP, input({ email: email.toUpperCase() }));
    expect(data.signUp).toMatchObject({
      viewer: null,
      errors: [{ code: "TAKEN", field: ["input", "email"] }],
    });
  });
});

describe("signing out", () => {
  it("Signing out takes the guest's cookie away too, so the next person is new.", async () => {
    const response = await fetch(app.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "mutation { signOut { signedOut } }" }),
    });
    expect(response.headers.getSetCookie()).toContainEqual(
      expect.stringMatching(/^souk_guest=; Max-Age=0; /),
    );
  });

  it("Signing out ends session and cookie; again, it says nobody was signed in.", async () => {
    const { token } = await signUp(app.url);
    const out = "mutation { signOut { signedOut errors { code } } }";
    const first = await browse(out, {}, `souk_session=${token}`);
    expect(first.body.data.signOut).toEqual({ signedOut: true, errors: [] });
    expect(first.cookies[0]).toMatch(/^souk_session=; Max-Age=0; Path=\//);
    expect(await whoIs(app.url, token)).toBe("UNAUTHENTICATED");
    const again = await browse(out, {}, `souk_session=${token}`);
    expect(again.body.data.signOut).toEqual({ signedOut: false, errors: [] });
  });
});

describe("an account", () => {
  it("Its owner and admins see it; for others there is nothing behind its id.", async () => {
    const [one, other] = [await signUp(app.url), await signUp(app.url)];
    const look = async (token?: string) => {
      const { data } = await post(
        app.url,
        "query Look($id: ID!) { node(id: $id) { id } }",
        { id: one.id },
        token ? { token } : {},
      );
      return data.node as unknown;
    };
    expect(
      await Promise.all([look(one.token), look(app.adminToken), look(other.token), look()]),
    ).toEqual([{ id: one.id }, { id: one.id }, null, null]);
  });
});
