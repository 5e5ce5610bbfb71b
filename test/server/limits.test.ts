/** What one client may ask for, on both transports. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, connectSocket } from "./socket-client.js";
import { type Answer, startServer, type TestServer } from "./test-server.js";

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
    test("is refused before anything runs, with its cost and the limit", async () => {
      const { errors, data } = await connect(souk)({ query, variables: { first: 51 } });
      expect(data).toBeUndefined();
      const { requestId, ...rest } = errors![0]!.extensions;
      expect([rest, typeof requestId]).toEqual([{ code: "OPERATION_TOO_COMPLEX", cost: 51, limit: 50 }, "string"]);
    });

    test("is not refused for what it does not ask for", async () => {
      expect((await connect(souk)({ query, variables: { first: 50 } })).errors).toBeUndefined();
    });
  });

  test("answers 400 over HTTP", async () => {
    expect((await souk.post({ query, variables: { first: 51 } })).status).toBe(400);
  });
});
