/** The sockets of sessions: which code they are closed with, and when they are looked up. */
import { afterEach, expect, test, vi } from "vitest";
import { UNKNOWN, type UserPrincipal } from "../../../src/domain/account/principal.js";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import type { AcknowledgedConnection } from "../../../src/server/connection/connection.js";
import { createSessionSockets } from "../../../src/server/connection/session-sockets.js";
import { testLog } from "../../support/log.js";
import { until } from "../../support/until.js";
import { startServer, type TestServer } from "../test-server.js";
import { ask, connectSocket, openSocket } from "../websocket/socket-client.js";

let souk: TestServer;
afterEach(() => souk.close());

/** A server with one session, which lives as `session` says. */
async function serverWith(session: { leftMs: number; alive: boolean | "unknown" }) {
  const listeners = new Set<(userId: number | null) => void>();
  const uses: boolean[] = [];
  let welcoming = () => {};
  const principal = (): UserPrincipal => ({
    kind: "user",
    userId: 7,
    userTag: "t",
    role: "CUSTOMER",
    sessionId: "s",
    leftMs: session.leftMs,
  });
  souk = await startServer(
    {},
    {
      async authenticate(token) {
        const found =
          token === "session" ? (session.alive === "unknown" ? UNKNOWN : principal()) : "invalid";
        welcoming();
        return found;
      },
      sessions: {
        async confirm(_principal, { used }) {
          uses.push(used);
          if (session.alive === "unknown") throw new RedisUnavailable();
          return session.alive ? principal() : null;
        },
        onEnded(listener) {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      },
    },
  );
  const tell = (userId: number | null) => {
    for (const listener of listeners) listener(userId);
  };
  const duringWelcome = (happens: () => void) => {
    welcoming = happens;
  };
  return {
    session,
    tell,
    uses,
    duringWelcome,
    connect: () => connectSocket(souk.live, { authorization: "Bearer session" }),
  };
}

test("A session that runs out closes its socket with 4403, so that clients return.", async () => {
  const { session, connect } = await serverWith({ leftMs: 300, alive: true });
  const client = await connect();
  session.alive = false;
  expect((await client.closed).code).toBe(4403);
});

test("A session that runs out is told from a revoked one, also where the process pauses.", async () => {
  const sockets = createSessionSockets(
    { confirm: async () => null, onEnded: () => () => {} },
    testLog(),
  );
  const principal = { kind: "user", userId: 7, userTag: "t", sessionId: "s", leftMs: 30 };
  const real = globalThis.setTimeout;
  const closed = new Promise<number>((resolve) => {
    const connection = { caller: { principal }, isOpen: true, onEnd() {}, close: resolve };
    vi.stubGlobal("setTimeout", (...timer: Parameters<typeof setTimeout>) => {
      const made = real(...timer);
      const endsAt = performance.now() + 20;
      while (performance.now() < endsAt);
      return made;
    });
    sockets.track(connection as unknown as AcknowledgedConnection, sockets.endsSeen());
    vi.unstubAllGlobals();
  });
  expect(await closed).toBe(4403);
  sockets.close();
});

test("A session that is used elsewhere keeps its socket beyond its first end.", async () => {
  const { connect, uses } = await serverWith({ leftMs: 50, alive: true });
  const client = await connect();
  await until("it to be looked up again and again", () => uses.length > 5);
  expect(await ask(client, { query: "{ whoAmI }" })).toEqual({ data: { whoAmI: "user" } });
  await client.close();
});

test("Word of an end closes the user's sockets with 4401; wrong word closes none.", async () => {
  const { session, connect, tell, uses } = await serverWith({ leftMs: 60_000, alive: true });
  const client = await connect();
  tell(8);
  tell(7);
  await until("the look-up", () => uses.length === 1);
  expect(client.socket.readyState).toBe(client.socket.OPEN);
  session.alive = false;
  tell(null);
  expect((await client.closed).code).toBe(4401);
});

test("A session ended during the welcome is found; others cost no second look-up.", async () => {
  const { session, connect, tell, uses, duringWelcome } = await serverWith({
    leftMs: 60_000,
    alive: true,
  });
  const first = await connect();
  expect(uses).toEqual([]);
  duringWelcome(() => {
    session.alive = false;
    tell(7);
  });
  const second = await openSocket(souk.live);
  second.send({ type: "connection_init", payload: { authorization: "Bearer session" } });
  expect((await second.closed).code).toBe(4401);
  await first.closed;
});

test("An operation is a use, an event is none, and both notice an ended session.", async () => {
  const { session, connect, uses } = await serverWith({ leftMs: 60_000, alive: true });
  const client = await connect();
  expect((await client.run({ query: "subscription { ticks(times: 2) { number } }" })).length).toBe(
    3,
  );
  expect(uses).toEqual([true, false, false]);
  session.alive = false;
  client.send({ id: "late", type: "subscribe", payload: { query: "{ hello }" } });
  expect((await client.closed).code).toBe(4401);
  await expect(client.next()).rejects.toThrow("4401");
});

test("Without look-ups, sockets keep what is public, and new ones must come again.", async () => {
  const { session, connect } = await serverWith({ leftMs: 60_000, alive: true });
  const client = await connect();
  session.alive = "unknown";
  expect(await ask(client, { query: "{ whoAmI }" })).toEqual({ data: { whoAmI: "unknown" } });
  const late = await openSocket(souk.live);
  late.send({ type: "connection_init", payload: { authorization: "Bearer session" } });
  expect((await late.closed).code).toBe(1013);
  session.alive = true;
  expect(await ask(client, { query: "{ whoAmI }" })).toEqual({ data: { whoAmI: "user" } });
  await client.close();
});

test("The cookie of the upgrade signs a socket in.", async () => {
  await serverWith({ leftMs: 60_000, alive: true });
  const client = await connectSocket(
    souk.live,
    {},
    { headers: { cookie: "a=b; souk_session=session; c=d" } },
  );
  expect(await ask(client, { query: "{ whoAmI }" })).toEqual({ data: { whoAmI: "user" } });
  await client.close();
});

test("A socket whose ended session could not be looked up is closed once it can be.", async () => {
  const { session, tell, uses, connect } = await serverWith({ leftMs: 60_000, alive: true });
  const client = await connect();
  session.alive = "unknown";
  tell(7);
  await until("a second look", () => uses.length >= 2);
  session.alive = false;
  expect((await client.closed).code).toBe(4401);
});
