/**
 * What reading a document costs: once for a process, whichever transport it comes by, and whatever
 * becomes of its operation.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { RateLimited } from "../../../src/domain/errors.js";
import type { Limits } from "../../../src/services/rate-limit/limits.js";
import { startServer, type TestServer } from "../test-server.js";
import { ask, connectSocket } from "../websocket/socket-client.js";

/** Takes every charge, but for one that is more than `most`; remembers what is owed. */
async function startCharging(most = Number.MAX_SAFE_INTEGER, env: Record<string, string> = {}) {
  const owed: number[] = [];
  const status = {
    bucket: "address",
    limit: most,
    remaining: most,
    restorePerSecond: 1,
    resetInMs: 0,
  } as const;
  const limits: Limits = {
    check: () => {},
    recentlyRejected: () => false,
    takeCredit: () => null,
    owe: (_payer, cost) => void owed.push(cost),
    async charge(_payer, charge) {
      if (charge.cost > most)
        throw new RateLimited("Try again.", 5, { bucket: "address", buckets: [status] });
      return { charge, buckets: [status], settle: () => status };
    },
  };
  const souk = await startServer(env, { limits });
  onTestFinished(() => souk.close());
  return { souk, owed, limits };
}

const overHttp = (souk: TestServer, query: string) => souk.post({ query });
async function overSocket(souk: TestServer, query: string) {
  const client = await connectSocket(souk.live);
  await ask(client, { query });
  await client.close();
}

/** Eleven tokens, so two units. */
const NEW = "query Named { hello again: hello third: hello }";
const TRANSPORTS = { HTTP: overHttp, WebSocket: overSocket };
const pairs = Object.entries(TRANSPORTS).flatMap(([first, a]) =>
  Object.entries(TRANSPORTS).map(([then, b]) => [first, then, a, b] as const),
);

describe("reading a document", () => {
  test.each(pairs)(
    "A document over %s is paid once, also where it is asked again over %s.",
    async (_first, _then, send, sendAgain) => {
      const { souk, owed } = await startCharging();
      await send(souk, NEW);
      await sendAgain(souk, NEW);
      expect(owed).toEqual([2]);
    },
  );

  test.each(Object.entries(TRANSPORTS))(
    "A refused document over %s is paid on top of the refusal.",
    async (_name, send) => {
      const { souk, owed } = await startCharging();
      const wrong = `{ ${"nothing ".repeat(50)} }`;
      await send(souk, wrong);
      await send(souk, wrong);
      expect(owed).toEqual([16, 16]);
    },
  );

  test.each(Object.entries(TRANSPORTS))(
    "A document over %s is paid where too little is left for the operation.",
    async (_name, send) => {
      const { souk, owed } = await startCharging(3);
      await send(souk, NEW);
      expect(owed).toEqual([2]);
    },
  );
});

describe("the text of a request", () => {
  const values = "x".repeat(20 * 1024);
  const rows: readonly [name: string, payload: object][] = [
    ["variables that no operation uses", { query: "{ hello }", variables: { unused: [values] } }],
    ["extensions that nothing reads", { query: "{ hello }", extensions: { unused: values } }],
    ["a comment", { query: `{ hello } # ${values}` }],
    ["commas", { query: `{ hello } ${",".repeat(values.length)}` }],
    [
      "a list that is too long",
      {
        query: "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        variables: { ids: values.slice(0, 10_000).split("") },
      },
    ],
  ];

  test.each(rows)(
    "The text of a request is owed alike over both transports: %s",
    async (_name, payload) => {
      const { souk, owed } = await startCharging();
      const bytes = JSON.stringify(payload).length;
      await souk.post(payload);
      await souk.post(payload);
      const client = await connectSocket(souk.live);
      await ask(client, payload);
      await client.close();
      const units = Math.floor(bytes / 2048);
      expect(owed.filter((cost) => Math.abs(cost - units) <= 1)).toHaveLength(3);
    },
  );

  test("A message that is no operation owes the price of its text.", async () => {
    const { souk, owed } = await startCharging();
    const client = await connectSocket(souk.live);
    client.send({ type: "ping", payload: { values } });
    expect((await client.next()).type).toBe("pong");
    await client.close();
    expect(owed).toEqual([10]);
  });

  test("A socket with an empty bucket is not charged any more.", async () => {
    const { souk, owed, limits } = await startCharging();
    const client = await connectSocket(souk.live);
    limits.recentlyRejected = () => true;
    limits.check = () => {
      throw new RateLimited("Try again.", 5, { bucket: "address" });
    };
    client.send({ type: "ping", payload: { values } });
    expect((await client.next()).type).toBe("pong");
    expect(
      (await ask(client, { query: `{ hello } # ${values}` })).errors?.[0]?.extensions.code,
    ).toBe("RATE_LIMITED");
    await client.close();
    expect(owed).toEqual([]);
  });
});
