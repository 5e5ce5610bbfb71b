/** Signing up, in and out over HTTP: tokens, cookies, what is told and what is not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SIGN_IN, SIGN_UP, signIn, signUp, whoIs } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { post } from "../support/graphql.js";

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 20 });
});
afterAll(() => app.close());

/** Sends one operation and shows the cookies of the answer. */
async function browse(query: string, variables: object, cookie?: string) {
  const headers = { "content-type": "application/json", ...(cookie ? { cookie } : {}) };
  const response = await fetch(app.url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const cookies = response.headers.getSetCookie().filter((text) => text.includes("souk_session"));
  return { status: response.status, body: (await response.json()) as { data: Record<string, never>; errors?: unknown }, cookies };
}

const input = (values: object = {}) => ({
  input: { email: `${Math.random()}@test.example`, password: "correct horse", name: "Ada", ...values },
});

describe("signing in", () => {
  it("by cookie: scripts cannot read it, and no token is in the answer", async () => {
    const { body, cookies } = await browse(SIGN_UP, input());
    expect(body.data.signUp).toMatchObject({ viewer: { user: { name: "Ada", role: "CUSTOMER" } }, token: null, errors: [] });
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(/^souk_session=[\w-]{16}\.[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/);
    const cookie = cookies[0]!.split(";")[0]!;
    const { body: seen } = await browse("{ viewer { user { name } sessions { current } } }", {}, cookie);
    expect(seen.data.viewer).toEqual({ user: { name: "Ada" }, sessions: [{ current: true }] });
  });

  it("by token: no cookie is set", async () => {
    const { body, cookies } = await browse(SIGN_UP, input({ deliver: "TOKEN" }));
    expect(cookies).toEqual([]);
    const { token } = (body.data as unknown as { signUp: { token: string } }).signUp;
    expect(await whoIs(app.url, token)).toMatch(/@test\.example$/);
  });

  it("gives a new id each time, and adopts none that we did not issue", async () => {
    const account = await signUp(app.url);
    const second = await signIn(app.url, account);
    expect(second).not.toBe(account.token);
    expect(second.split(".")[0]).toBe(account.token.split(".")[0]);
    const planted = `${account.token.split(".")[0]}.${"A".repeat(43)}`;
    expect(await whoIs(app.url, planted)).toBe("UNAUTHENTICATED");
    const { body } = await browse("{ viewer { email } }", {}, `souk_session=${planted}`);
    expect(body).toMatchObject({ data: { viewer: null } });
  });

  it("answers alike for a wrong password and an address without account", async () => {
    const { email } = await signUp(app.url);
    const answers = await Promise.all(
      [email, "nobody@test.example"].map((address) => browse(SIGN_IN, { input: { email: address, password: "wrong password" } })),
    );
    expect(answers[0]!.body.data).toMatchObject({ signIn: { viewer: null, token: null, errors: [{ code: "BAD_CREDENTIALS" }] } });
    expect(answers[0]!.body).toEqual(answers[1]!.body);
  });

  it("takes any spelling of the address, and passwords of any characters", async () => {
    const password = "pässwörd 🔑 \u0301";
    const { body } = await browse(SIGN_UP, input({ email: "  Some.One@Test.Example ", password, deliver: "TOKEN" }));
    expect(body.data.signUp).toMatchObject({ viewer: { email: "some.one@test.example" } });
    expect(await signIn(app.url, { email: "SOME.ONE@test.example", password: password.normalize("NFD") })).toMatch(/\./);
  });

  it("tells passwords apart beyond 72 bytes", async () => {
    const long = "x".repeat(200);
    const made = input({ password: `${long}1` });
    await browse(SIGN_UP, made);
    const { body } = await browse(SIGN_IN, { input: { email: made.input.email, password: `${long}2` } });
    expect(body.data.signIn).toMatchObject({ errors: [{ code: "BAD_CREDENTIALS" }] });
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
  ])("%j with %s", async (values, code, field) => {
    const { data } = await post(app.url, SIGN_UP, input(values));
    expect(data.signUp).toMatchObject({ viewer: null, errors: [{ code, field: ["input", field] }] });
  });

  it("an address that is taken, whatever its case", async () => {
    const { email } = await signUp(app.url);
    const { data } = await post(app.url, SIGN_UP, input({ email: email.toUpperCase() }));
    expect(data.signUp).toMatchObject({ viewer: null, errors: [{ code: "TAKEN", field: ["input", "email"] }] });
  });
});

describe("signing out", () => {
  it("takes the cookie of the guest away too: the next person at that browser is somebody else", async () => {
    const response = await fetch(app.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "mutation { signOut { signedOut } }" }),
    });
    expect(response.headers.getSetCookie()).toContainEqual(expect.stringMatching(/^souk_guest=; Max-Age=0; /));
  });

  it("ends the session and takes the cookie away; again, it says that nobody was signed in", async () => {
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
  it("is seen by its owner and admins; for anybody else there is nothing behind its id", async () => {
    const [one, other] = [await signUp(app.url), await signUp(app.url)];
    const look = async (token?: string) => {
      const { data } = await post(app.url, "query Look($id: ID!) { node(id: $id) { id } }", { id: one.id }, token ? { token } : {});
      return data.node as unknown;
    };
    expect(await Promise.all([look(one.token), look(app.adminToken), look(other.token), look()])).toEqual([
      { id: one.id },
      { id: one.id },
      null,
      null,
    ]);
  });
});
