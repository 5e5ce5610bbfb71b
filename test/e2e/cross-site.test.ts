/**
 * Signing in from pages of other origins: a session that its browser can keep, or a user error
 * before anything is done.
 */
import { randomUUID } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SIGN_IN, SIGN_UP } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { metric } from "../support/graphql.js";

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 0, roles: { api: true, worker: false } });
});
afterAll(() => app.close());

interface SignInAnswer {
  readonly viewer: { readonly email: string } | null;
  readonly token: string | null;
  readonly errors: readonly { code: string; field: readonly string[] | null }[];
}

/** Signs up or in as a browser would send it, with these headers. */
async function send(query: string, input: object, headers: Record<string, string>) {
  const asked = request(app.url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
  });
  asked.end(JSON.stringify({ query, variables: { input } }));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once("response", resolve).once("error", reject);
  });
  const { data } = JSON.parse(await text(response)) as { data: Record<string, SignInAnswer> };
  const cookies = (response.headers["set-cookie"] ?? []).filter((one) => /session/.test(one));
  return { payload: (data.signIn ?? data.signUp)!, cookies };
}

const someone = (more: object = {}) => ({
  email: `${randomUUID()}@test.example`,
  password: "long enough",
  ...more,
});
const LOST = {
  viewer: null,
  token: null,
  errors: [{ code: "INVALID", field: ["input", "deliver"] }],
};

/** What a browser sends from a page to this host, and whether it keeps the cookie. */
const PAGES: [name: string, headers: Record<string, string>, keeps: boolean][] = [
  ["no page", {}, true],
  ["our own page", { origin: "http://localhost:4000", "sec-fetch-site": "same-origin" }, true],
  ["another port", { origin: "http://localhost:5173", "sec-fetch-site": "same-site" }, true],
  [
    "another subdomain",
    {
      origin: "https://app.example.com",
      host: "api.example.com",
      "sec-fetch-site": "same-site",
    },
    true,
  ],
  [
    "another name of the machine",
    { origin: "http://localhost:5173", host: "127.0.0.1:4000", "sec-fetch-site": "cross-site" },
    false,
  ],
  [
    "another domain",
    { origin: "https://shop.test", host: "api.example", "sec-fetch-site": "cross-site" },
    false,
  ],
  ["a sandboxed frame", { origin: "null", "sec-fetch-site": "cross-site" }, false],
  ["another port, unsaid", { origin: "http://devbox:5173", host: "devbox:4000" }, true],
  [
    "another subdomain, unsaid",
    { origin: "http://app.example.com", host: "api.example.com" },
    true,
  ],
  ["another domain, unsaid", { origin: "http://shop.test", host: "api.example" }, false],
];

describe("the table of pages", () => {
  it.each(PAGES)(
    "A session by cookie is only for pages that can keep it: %s",
    async (_, headers, keeps) => {
      const input = someone();
      const up = await send(SIGN_UP, { ...input, name: "Tess" }, headers);
      expect(up).toEqual(
        keeps
          ? {
              payload: { viewer: expect.anything(), token: null, errors: [] },
              cookies: [expect.anything()],
            }
          : { payload: LOST, cookies: [] },
      );
      // Refused means that no account was made; by token the same page may.
      const again = await send(SIGN_UP, { ...input, name: "Tess", deliver: "TOKEN" }, headers);
      expect(again.payload).toMatchObject(
        keeps ? { errors: [{ code: "TAKEN" }] } : { token: expect.any(String), errors: [] },
      );
      const signedIn = await send(SIGN_IN, input, headers);
      expect(signedIn.payload.errors).toEqual(keeps ? [] : LOST.errors);
      expect(signedIn.cookies).toHaveLength(keeps ? 1 : 0);
      for (const deliver of [null, "COOKIE"])
        expect((await send(SIGN_IN, { ...input, deliver }, headers)).payload.errors).toEqual(
          keeps ? [] : LOST.errors,
        );
    },
  );

  it("Nothing is checked, counted or hashed for a cookie that would be lost.", async () => {
    const headers = { origin: "https://shop.test", "sec-fetch-site": "cross-site" };
    const counted = () => metric(app.url, "souk_sign_ins_total");
    const before = await counted();
    for (let attempt = 0; attempt < 20; attempt++) {
      // The same answer for a right password, a wrong one and one that could never be.
      const password = ["long enough", "wrong", ""][attempt % 3];
      expect((await send(SIGN_IN, someone({ password }), headers)).payload).toEqual(LOST);
      expect((await send(SIGN_UP, someone({ password, name: "" }), headers)).payload).toEqual(LOST);
    }
    expect(await counted()).toBe(before);
  });
});
