/**
 * Guessing, through the door: what it meets over HTTP and WebSocket, on several processes, and who
 * is not kept out by it.
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createKeys } from "../../src/redis/client/keys.js";
import { ask, connectSocket } from "../server/websocket/socket-client.js";
import { SIGN_IN, SIGN_UP, type SignedIn, signIn, signUp, whoIs } from "../support/accounts.js";
import { type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { metric, post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";

let database: TestDatabase;
beforeAll(async () => {
  database = await seededDatabase(0);
});
afterAll(() => database.close());

const open: RunningApp[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

/** Longer than any test takes. */
const LONG_WAITS = { SIGN_IN_DELAY_MS: "600000", SIGN_IN_DELAY_MAX_MS: "600000" };

/** An app, with counts of its own unless it shares a prefix. */
async function start(
  env: Record<string, string> = {},
  keyPrefix = testRedis().prefix,
): Promise<RunningApp> {
  const app = await startApp({
    env: { ...LONG_WAITS, ...env },
    database,
    keyPrefix,
    roles: { api: true, worker: false },
  });
  open.push(app);
  return app;
}

const wrong = (email: string) => ({
  input: { email, password: "wrong password", deliver: "TOKEN" },
});
const right = ({ email, password }: SignedIn) => ({ input: { email, password, deliver: "TOKEN" } });
/** What became of an attempt: a code of either kind, or "signed in". */
async function outcomeOf(
  { url }: RunningApp,
  variables: object,
  headers: Record<string, string> = {},
): Promise<string> {
  const { data, errors } = await post(url, SIGN_IN, { ...variables }, { headers });
  const [error] = [
    ...(errors ?? []).map(({ extensions }) => extensions),
    ...((data?.signIn?.errors ?? []) as unknown as { code: string }[]),
  ];
  return error?.code ?? "signed in";
}
const fail = async (app: RunningApp, email: string, times: number): Promise<void> => {
  for (let failure = 0; failure < times; failure++)
    expect(await outcomeOf(app, wrong(email))).toBe("BAD_CREDENTIALS");
};

describe("guessing at an account", () => {
  it("A guesser waits everywhere and is told how long; signed-in devices do not.", async () => {
    const { prefix } = testRedis();
    const [one, other] = [await start({}, prefix), await start({}, prefix)];
    const account = await signUp(one.url);
    await fail(one, account.email, 3);
    await fail(other, account.email, 2);
    for (const { url, wsUrl } of [one, other]) {
      const { data, errors } = await post(url, SIGN_IN, right(account));
      expect(data).toBeNull();
      expect(errors?.[0]).toMatchObject({
        message: expect.stringMatching(/^Too many attempts. Try again in \d+ seconds.$/),
        extensions: {
          code: "RATE_LIMITED",
          retryAfterMs: expect.any(Number),
          requestId: expect.any(String),
        },
      });
      const socket = await connectSocket(wsUrl);
      expect(await ask(socket, { query: SIGN_IN, variables: right(account) })).toMatchObject({
        errors: [{ extensions: { code: "RATE_LIMITED", retryAfterMs: expect.any(Number) } }],
      });
      await socket.close();
      expect(await whoIs(url, account.token)).toBe(account.email);
    }
    expect(await metric(one.url, "souk_sign_ins_total", 'outcome="refused by place"')).toBe(2);
  });

  it("Guesses are answered alike whether the account exists or not.", async () => {
    const app = await start();
    const { email } = await signUp(app.url);
    for (const address of [email, `${randomUUID()}@test.example`]) {
      await fail(app, address, 5);
      expect(await outcomeOf(app, wrong(address))).toBe("RATE_LIMITED");
      expect(await outcomeOf(app, wrong(` ${address.toUpperCase()} `))).toBe("RATE_LIMITED");
    }
  });

  it("Guessing may continue after the wait.", async () => {
    const app = await start({ SIGN_IN_DELAY_MS: "1" });
    const account = await signUp(app.url);
    await fail(app, account.email, 5);
    await expect.poll(() => outcomeOf(app, right(account))).toBe("signed in");
  });

  it("A right password forgets earlier failures.", async () => {
    const app = await start();
    const account = await signUp(app.url);
    await fail(app, account.email, 4);
    expect(await outcomeOf(app, right(account))).toBe("signed in");
    await fail(app, account.email, 5);
    expect(await outcomeOf(app, right(account))).toBe("RATE_LIMITED");
  });

  it("A change of the password is guarded like a sign-in.", async () => {
    const app = await start();
    const { token, password } = await signUp(app.url);
    const change = (currentPassword: string) =>
      post(
        app.url,
        "mutation C($input: ChangePasswordInput!) { changePassword(input: $input) { errors { " +
          "code } } }",
        { input: { currentPassword, newPassword: "another password" } },
        { token },
      );
    for (let failure = 0; failure < 5; failure++) {
      expect((await change("wrong password")).data.changePassword).toEqual({
        errors: [{ code: "BAD_CREDENTIALS" }],
      });
    }
    expect((await change(password)).errors?.[0]?.extensions.code).toBe("RATE_LIMITED");
  });
});

describe("a hundred sign-ins in one document", () => {
  it("A hundred sign-ins in one document count a hundred.", async () => {
    const { prefix, connect } = testRedis();
    const roomy = {
      LIMIT_ALIASES: "100",
      LIMIT_ROOT_FIELDS: "100",
      LIMIT_TOKENS: "10000",
      REQUEST_TIMEOUT_MS: "60000",
    };
    const app = await start({ ...roomy, SIGN_IN_ADDRESS_MAX: "100" }, prefix);
    const fields = Array.from(
      { length: 100 },
      (_, at) =>
        `a${at}: signIn(input: { email: "${at}@test.example", password: "guess" }) { errors ` +
        "{ code } }",
    );
    const { data } = await post(app.url, `mutation { ${fields.join(" ")} }`);
    expect(Object.values(data as object)).toEqual(
      Array.from({ length: 100 }, () => ({ errors: [{ code: "BAD_CREDENTIALS" }] })),
    );
    expect(
      await connect().zcard(createKeys(prefix).attempts("sign-in", "address", "127.0.0.1")),
    ).toBe(100);
    expect(await outcomeOf(app, wrong("one-more@test.example"))).toBe("RATE_LIMITED");
  });

  it("Of many sign-ins at one account in one document only a few pass.", async () => {
    const app = await start();
    const fields = Array.from(
      { length: 10 },
      (_, at) =>
        `a${at}: signIn(input: { email: "x@test.example", password: "guess ${at}" }) { ` +
        "errors { code } }",
    );
    const { data, errors } = await post(app.url, `mutation { ${fields.join(" ")} }`);
    expect([data, errors?.map(({ extensions }) => extensions.code)]).toEqual([
      null,
      ["RATE_LIMITED"],
    ]);
    expect(await metric(app.url, "souk_sign_ins_total", 'what="sign-in",outcome="let in"')).toBe(5);
  });
});

describe("signing up", () => {
  it("Signing up is limited per address, also when TAKEN; malformed ones are free.", async () => {
    const app = await start({ SIGN_UP_ADDRESS_MAX: "2" });
    const { email } = await signUp(app.url);
    const attempt = (values: object = {}) =>
      post(app.url, SIGN_UP, {
        input: {
          email: `${randomUUID()}@test.example`,
          password: "long enough",
          name: "Tess",
          ...values,
        },
      });
    for (let round = 0; round < 3; round++)
      expect((await attempt({ name: "" })).data.signUp).toMatchObject({
        errors: [{ code: "REQUIRED" }],
      });
    expect((await attempt({ email })).data.signUp).toMatchObject({ errors: [{ code: "TAKEN" }] });
    expect((await attempt()).errors?.[0]).toMatchObject({
      extensions: { code: "RATE_LIMITED", retryAfterMs: expect.any(Number) },
    });
  });
});

describe("the address of a client", () => {
  const sessionIp = async ({ url }: RunningApp, token: string, headers = {}) => {
    const { data } = await post(
      url,
      "{ viewer { sessions { ip current } } }",
      {},
      { token, headers },
    );
    return (data.viewer!.sessions as unknown as { ip: string; current: boolean }[]).find(
      ({ current }) => current,
    )?.ip;
  };
  const signInFrom = async (
    { url, wsUrl }: RunningApp,
    account: SignedIn,
    forwardedFor: string,
  ) => {
    const headers = { "x-forwarded-for": forwardedFor };
    const { data } = await post(url, SIGN_IN, right(account), { headers });
    const socket = await connectSocket(wsUrl, {}, { headers });
    const answer = (await ask(socket, { query: SIGN_IN, variables: right(account) })) as {
      data: { signIn: { token: string } };
    };
    await socket.close();
    return [String(data.signIn!.token), answer.data.signIn.token];
  };

  it("Guesses under many X-Forwarded-For headers of a stranger are from one address.", async () => {
    const app = await start({ TRUSTED_PROXIES: "10.0.0.0/8" });
    const account = await signUp(app.url);
    for (const token of await signInFrom(app, account, "198.51.100.7"))
      expect(await sessionIp(app, token)).toBe("127.0.0.1");
    for (let at = 0; at < 5; at++)
      await outcomeOf(app, wrong(account.email), { "x-forwarded-for": `198.51.100.${at}` });
    expect(await outcomeOf(app, wrong(account.email), { "x-forwarded-for": "203.0.113.1" })).toBe(
      "RATE_LIMITED",
    );
  });

  it("A trusted proxy writes the client's address, over HTTP and WebSocket.", async () => {
    const app = await start({ TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8" });
    const account = await signUp(app.url);
    for (const token of await signInFrom(app, account, "203.0.113.9, 198.51.100.7, 10.0.0.1")) {
      expect(await sessionIp(app, token)).toBe("198.51.100.7");
    }
    for (let at = 0; at < 5; at++)
      await outcomeOf(app, wrong(account.email), { "x-forwarded-for": "198.51.100.8" });
    expect(await outcomeOf(app, wrong(account.email), { "x-forwarded-for": "198.51.100.8" })).toBe(
      "RATE_LIMITED",
    );
    expect(await signIn(app.url, account)).toMatch(/\./);
  });
});
