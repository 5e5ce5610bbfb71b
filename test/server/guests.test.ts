/**
 * One guest is one guest over every transport: made at the first write, handed out with its answer,
 * known by what the client shows.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TestServer } from "./test-server.js";
import { ask, connectSocket } from "./websocket/socket-client.js";

let souk: TestServer;
beforeAll(async () => {
  souk = await startServer();
});
afterAll(() => souk.close());

const OWN = { query: "mutation { own }" };
const MINE = { query: "{ mine }" };
const COOKIE =
  /^souk_guest=([\w-]{22}\.[\w-]{43}); Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/;

/** Writes as somebody unknown over HTTP: the owner, and the token handed out. */
async function becomeGuest() {
  const { body, headers } = await souk.post(OWN);
  const owner = body.data?.own as string;
  const [cookie = ""] = headers.getSetCookie().filter((text) => text.startsWith("souk_guest"));
  return { owner, cookie, token: headers.get("souk-guest") ?? "" };
}

const extensionsOf = (answer: object) => (answer as { extensions?: { guest?: string } }).extensions;

describe("a guest over HTTP", () => {
  test("A write makes a guest, by cookie and header, and a read makes none.", async () => {
    const read = await souk.post(MINE);
    expect([
      read.body.data?.mine,
      read.headers.get("souk-guest"),
      read.headers.getSetCookie(),
    ]).toEqual(["null", null, []]);
    const { owner, cookie, token } = await becomeGuest();
    expect(JSON.parse(owner)).toEqual({ kind: "guest", guestId: token.split(".")[0] });
    expect(COOKIE.exec(cookie)?.[1]).toBe(token);
  });

  test("Cookie and header identify a guest, who gets no second token.", async () => {
    const { owner, token } = await becomeGuest();
    for (const shown of [{ cookie: `a=b; souk_guest=${token}` }, { "souk-guest": token }]) {
      const again = await souk.post(OWN, shown as Record<string, string>);
      expect([
        again.body.data?.own,
        again.headers.get("souk-guest"),
        again.headers.getSetCookie(),
      ]).toEqual([owner, null, []]);
      expect((await souk.post(MINE, shown as Record<string, string>)).body.data?.mine).toBe(owner);
    }
  });

  test("A forged guest token counts as none, and its client becomes another guest.", async () => {
    const { owner, token } = await becomeGuest();
    const forged = `${"A".repeat(22)}${token.slice(22)}`;
    const again = await souk.post(OWN, { "souk-guest": forged });
    expect(again.headers.get("souk-guest")).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
    expect([owner, JSON.stringify({ kind: "guest", guestId: "A".repeat(22) })]).not.toContain(
      again.body.data?.own,
    );
  });
});

describe("a guest over WebSocket", () => {
  test("They are known by connection_init.guest, the cookie or the upgrade's header.", async () => {
    const { owner, token } = await becomeGuest();
    const ways = [
      connectSocket(souk.live, { guest: token }),
      connectSocket(souk.live, {}, { headers: { cookie: `souk_guest=${token}` } }),
      connectSocket(souk.live, {}, { headers: { "souk-guest": token } }),
    ];
    for (const way of ways) {
      const client = await way;
      expect(await ask(client, OWN)).toEqual({ data: { own: owner } });
      await client.close();
    }
  });

  test("A socket makes one however many writes come, with a token good over HTTP.", async () => {
    const client = await connectSocket(souk.live);
    expect(await ask(client, MINE)).toEqual({ data: { mine: "null" } });
    for (const id of ["1", "2", "3"]) client.send({ id, type: "subscribe", payload: OWN });
    const answers = [];
    while (answers.length < 3) {
      const { type, payload } = await client.next();
      if (type === "next") answers.push(payload as { data: { own: string } });
    }
    const [owner, ...others] = [...new Set(answers.map(({ data }) => data.own))];
    expect(others).toEqual([]);
    const token = extensionsOf(answers[0] as object)?.guest ?? "";
    expect((await souk.post(MINE, { "souk-guest": token })).body.data?.mine).toBe(owner);
    await client.close();
  });
});
