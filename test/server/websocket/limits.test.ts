/** What a WebSocket may hold and send: sockets and subscriptions of each, and messages. */
import { afterEach, describe, expect, test } from "vitest";
import type { Principal } from "../../../src/domain/account/principal.js";
import { until } from "../../support/until.js";
import { startServer, type TestServer } from "../test-server.js";
import { ask, connectSocket, openSocket } from "./socket-client.js";

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const userOf = (token: string): Principal => ({
  kind: "user",
  userId: Number(token),
  userTag: token,
  role: "CUSTOMER",
  sessionId: token,
  leftMs: 60_000,
});

async function start(env: Record<string, string>): Promise<TestServer> {
  const server = await startServer(env, {
    authenticate: async (token) => (token ? userOf(token) : { kind: "anonymous" }),
  });
  servers.push(server);
  return server;
}
const as = (user: number) => ({ authorization: `Bearer ${user}` });

describe("sockets", () => {
  test("One user's sockets are bounded: the next must come again, others go on.", async () => {
    const { live } = await start({ LIMIT_SOCKETS_PER_USER: "2" });
    const [first] = [await connectSocket(live, as(1)), await connectSocket(live, as(1))];
    const third = await openSocket(live);
    third.send({ type: "connection_init", payload: as(1) });
    expect((await third.closed).code).toBe(1013);
    await connectSocket(live, as(2));
    await first.close();
    await until("the place to be free", async () => {
      const again = await openSocket(live);
      again.send({ type: "connection_init", payload: as(1) });
      return Promise.race([
        again.next().then(
          ({ type }) => type === "connection_ack",
          () => false,
        ),
        again.closed.then(() => false),
      ]);
    });
  });

  test("Sockets of one address are bounded; the next is refused at the upgrade.", async () => {
    const { live } = await start({ LIMIT_SOCKETS_PER_ADDRESS: "2" });
    const [first] = [await openSocket(live), await openSocket(live)];
    await expect(openSocket(live)).rejects.toThrow("429");
    await first.close();
    await until(
      "the place to be free",
      async () => (await openSocket(live)).socket.readyState === 1,
    );
  });
});

test("One user's subscriptions are bounded over all sockets, and return as they end.", async () => {
  const { live, sources } = await start({ LIMIT_SUBSCRIPTIONS_PER_USER: "3" });
  const [one, other, stranger] = [
    await connectSocket(live, as(1)),
    await connectSocket(live, as(1)),
    await connectSocket(live, as(2)),
  ];
  const subscribe = (client: typeof one, id: string) =>
    client.send({ id, type: "subscribe", payload: { query: "subscription { endless }" } });
  subscribe(one, "a");
  subscribe(one, "b");
  subscribe(other, "c");
  await until("three to run", () => sources.open === 3);
  const { errors } = await ask(other, { query: "subscription { endless }" });
  expect(errors?.[0]?.extensions).toMatchObject({
    code: "RATE_LIMITED",
    bucket: "subscriptions",
    retryAfterMs: 1_000,
  });
  subscribe(stranger, "d");
  await until("the stranger's to run", () => sources.open === 4);
  one.send({ id: "a", type: "complete" });
  await until("it to end", () => sources.open === 3);
  subscribe(other, "e");
  await until("another to run", () => sources.open === 4);
  await other.close();
  await until("those of the socket to end", () => sources.open === 2);
  subscribe(one, "f");
  subscribe(one, "g");
  await until("two more to run", () => sources.open === 4);
});

test("A refusal for lack of a place costs nothing, whichever place it is.", async () => {
  let [charged, owed] = [0, 0];
  const { live, sources, close } = await startServer(
    { LIMIT_SUBSCRIPTIONS_PER_USER: "1", LIMIT_SOCKET_OPERATIONS: "2" },
    {
      authenticate: async (token) => (token ? userOf(token) : { kind: "anonymous" }),
      limits: {
        check: () => {},
        recentlyRejected: () => false,
        takeCredit: () => null,
        owe: () => void owed++,
        async charge(_payer, charge) {
          charged++;
          return { charge, buckets: [], settle: () => undefined };
        },
      },
    },
  );
  const client = await connectSocket(live, as(1));
  client.send({ id: "first", type: "subscribe", payload: { query: "subscription { endless }" } });
  await until("it to run", () => sources.open === 1);
  // The socket itself and the subscription that runs.
  expect(charged).toBe(2);
  expect(
    (await ask(client, { query: "subscription { endless }" })).errors?.[0]?.extensions,
  ).toMatchObject({ bucket: "subscriptions" });
  client.send({ id: "second", type: "subscribe", payload: { query: "{ never }" } });
  expect((await ask(client, { query: "{ hello }" })).errors?.[0]?.extensions).toMatchObject({
    bucket: "operations",
  });
  // What runs was read: two documents.
  expect([charged, owed]).toEqual([3, 2]);
  await client.close();
  await close();
});

test("A flood of messages closes its socket with 1008, and no other.", async () => {
  const { live } = await start({ LIMIT_SOCKET_MESSAGES_PER_SECOND: "5" });
  const [hostile, other] = [await connectSocket(live), await connectSocket(live)];
  for (let times = 0; times < 100; times++) hostile.send({ type: "ping" });
  expect((await hostile.closed).code).toBe(1008);
  expect(await ask(other, { query: "{ hello }" })).toEqual({ data: { hello: "Hello world" } });
});

test("A socket costs as much as the cheapest operation, and a flood must come again.", async () => {
  const { RateLimited } = await import("../../../src/domain/errors.js");
  const charged: number[] = [];
  const server = await startServer(
    {},
    {
      limits: {
        check: () => {},
        recentlyRejected: () => false,
        takeCredit: () => null,
        owe: () => {},
        charge: async (_payer, charge) => {
          if (charged.push(charge.cost) > 1)
            throw new RateLimited("Try again.", 5, { bucket: "address" });
          return { charge, buckets: [], settle: () => undefined };
        },
      },
    },
  );
  servers.push(server);
  await connectSocket(server.live);
  const second = await openSocket(server.live);
  second.send({ type: "connection_init" });
  expect((await second.closed).code).toBe(1013);
  expect(charged).toEqual([1, 1]);
});
