/** What reading a document costs: once for a process, whichever transport it comes by, and whatever becomes of its operation. */
import { describe, expect, onTestFinished, test } from "vitest";
import { RateLimited } from "../../src/domain/errors.js";
import type { Limits } from "../../src/services/limits.js";
import { ask, connectSocket } from "./socket-client.js";
import { startServer, type TestServer } from "./test-server.js";

/** Takes every charge, but for one that is more than `most`. */
async function startCharging(most = Number.MAX_SAFE_INTEGER, env: Record<string, string> = {}) {
  const charged: number[] = [];
  const status = { bucket: "address", limit: most, remaining: most, restorePerSecond: 1, resetAtMs: 0 } as const;
  const limits: Limits = {
    check: () => {},
    isTight: () => false,
    async charge(_payer, charge) {
      if (charge.cost > most) throw new RateLimited("Try again.", 5, { bucket: "address", buckets: [status] });
      charged.push(charge.cost);
      return { charge, buckets: [status], settle: () => status };
    },
    close: () => {},
  };
  const souk = await startServer(env, { limits });
  onTestFinished(() => souk.close());
  return { souk, charged };
}

const overHttp = (souk: TestServer, query: string) => souk.post({ query });
async function overSocket(souk: TestServer, query: string) {
  const client = await connectSocket(souk.live);
  await ask(client, { query });
  await client.close();
}

/** Eleven tokens, so two units; the operation costs one. */
const NEW = "query Named { hello again: hello third: hello }";
const TRANSPORTS = { HTTP: overHttp, WebSocket: overSocket };
const pairs = Object.entries(TRANSPORTS).flatMap(([first, a]) =>
  Object.entries(TRANSPORTS).map(([then, b]) => [first, then, a, b] as const),
);

describe("reading a document", () => {
  test.each(pairs)("over %s is paid once, also where it is asked again over %s", async (_first, _then, send, sendAgain) => {
    const { souk, charged } = await startCharging();
    await send(souk, NEW);
    await sendAgain(souk, NEW);
    // A socket pays one for itself.
    expect(charged.filter((cost) => cost > 1)).toEqual([5, 3]);
  });

  test.each(Object.entries(TRANSPORTS))("over %s is paid where the document is refused, on top of the refusal", async (_name, send) => {
    const { souk, charged } = await startCharging();
    const wrong = `{ ${"nothing ".repeat(50)} }`;
    await send(souk, wrong);
    await send(souk, wrong);
    expect(charged.filter((cost) => cost > 1)).toEqual([16, 16]);
  });

  test.each(Object.entries(TRANSPORTS))("over %s is paid where there is too little left for the operation", async (_name, send) => {
    const { souk, charged } = await startCharging(4);
    await send(souk, NEW);
    expect(charged.filter((cost) => cost > 1)).toEqual([2]);
  });
});
