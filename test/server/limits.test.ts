/** What one client may ask for, on both transports. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Limits } from "../../src/services/rate-limit/limits.js";
import { until } from "../support/until.js";
import { type Answer, startServer, type TestServer } from "./test-server.js";
import { ask, connectSocket } from "./websocket/socket-client.js";

type Ask = (payload: object) => Promise<Answer>;

/** Asks over either transport. */
const transports: Record<string, (souk: TestServer) => Ask> = {
  HTTP: (souk) => async (payload) => (await souk.post(payload)).body,
  WebSocket: (souk) => async (payload) => {
    const client = await connectSocket(souk.live);
    const answer = await ask(client, payload);
    await client.close();
    return answer;
  },
};

describe("an operation that would cost too much", () => {
  let souk: TestServer;
  beforeAll(async () => {
    souk = await startServer({ LIMIT_COST: "50" });
  });
  afterAll(() => souk.close());
  const query = "query($first: Int) { products(first: $first) { id } }";

  describe.each(Object.entries(transports))("over %s", (_name, connect) => {
    test("An operation above its limit is refused early, with cost and limit.", async () => {
      const { errors, data } = await connect(souk)({ query, variables: { first: 50 } });
      expect(data).toBeUndefined();
      const { requestId, ...rest } = errors![0]!.extensions;
      expect([rest, typeof requestId]).toEqual([
        { code: "OPERATION_TOO_COMPLEX", cost: 51, limit: 50 },
        "string",
      ]);
    });

    test("An operation is not refused for fields that it leaves out.", async () => {
      expect((await connect(souk)({ query, variables: { first: 49 } })).errors).toBeUndefined();
    });
  });

  test("An operation above its limit answers 400 over HTTP.", async () => {
    expect((await souk.post({ query, variables: { first: 50 } })).status).toBe(400);
  });
});

describe("what was held", () => {
  /** Everything that is paid and settled. */
  async function startPaying(env: Record<string, string> = {}) {
    const settled: { cost: number; actual: number }[] = [];
    const limits: Limits = {
      check: () => {},
      recentlyRejected: () => false,
      takeCredit: () => null,
      owe: () => {},
      charge: async (_payer, charge) => ({
        charge,
        buckets: [],
        settle(actual) {
          settled.push({ cost: charge.cost, actual });
          return {
            bucket: "address",
            limit: 100,
            remaining: 100 - actual,
            restorePerSecond: 1,
            resetInMs: 0,
          };
        },
      }),
    };
    const souk = await startServer(env, { limits });
    onTestFinished(() => souk.close());
    return { souk, settled };
  }
  const LIST = "products(first: 40) { id }";

  test.each(Object.entries(transports))(
    "The hold is settled once over %s, by the answer, also after an error.",
    async (_name, connect) => {
      const { souk, settled } = await startPaying();
      const run = connect(souk);
      // There are 50 products.
      const more = "products(first: 80) { id }";
      expect((await run({ query: `{ ${more} hello }` })).errors).toBeUndefined();
      expect((await run({ query: `{ ${more} crash }` })).errors).toHaveLength(1);
      // This answer has lost all of its data, and says nothing of what was done.
      expect((await run({ query: `{ ${more} unavailable }` })).data).toBeNull();
      expect(settled.filter(({ cost }) => cost > 1)).toEqual([
        { cost: 82, actual: 52 },
        { cost: 82, actual: 52 },
        { cost: 82, actual: 82 },
      ]);
    },
  );

  test.each(Object.entries(transports))(
    "The hold is kept over %s after a timeout, because the work was done.",
    async (_name, connect) => {
      const { souk, settled } = await startPaying({ REQUEST_TIMEOUT_MS: "100" });
      expect(
        (await connect(souk)({ query: `{ ${LIST} never }` })).errors?.[0]?.extensions.code,
      ).toBe("DEADLINE_EXCEEDED");
      expect(settled.filter(({ cost }) => cost > 1)).toEqual([{ cost: 42, actual: 42 }]);
    },
  );

  test("It is settled when the operation ends, also where nobody waits any more.", async () => {
    const { souk, settled } = await startPaying();
    const hangUp = new AbortController();
    const body = JSON.stringify({ query: `{ ${LIST} slow }` });
    const asked = fetch(souk.graphql, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: hangUp.signal,
    });
    await souk.slowAsked;
    hangUp.abort();
    await expect(asked).rejects.toThrow();
    expect(settled).toEqual([]);
    souk.release();
    await until("it to be settled", () => settled.length > 0);
    expect(settled).toEqual([{ cost: 42, actual: 42 }]);
  });
});
