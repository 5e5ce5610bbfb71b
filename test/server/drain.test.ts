/**
 * Stopping: nothing that was begun is lost, nothing new is begun, and it ends within the window.
 */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { until } from "../support/until.js";
import { startServer } from "./test-server.js";
import { connectSocket } from "./websocket/socket-client.js";

/** What is to be finished within it finishes on a busy machine too. */
const WINDOW_MS = 10_000;

test("A draining server finishes requests, fails probes, and spreads out its closes.", async () => {
  const souk = await startServer({ SHUTDOWN_MS: String(WINDOW_MS) });
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectSocket(souk.live)));
  const closedAt = clients.map(async ({ closed }) => ({
    ...(await closed),
    at: performance.now(),
  }));
  const slow = souk.post({ query: "{ slow }" });
  await souk.slowAsked;

  const startedAt = performance.now();
  const stopped = souk.server.close();
  await until("new connections to be refused", () =>
    fetch(souk.url).then(
      () => false,
      () => true,
    ),
  );
  souk.release();
  expect((await slow).body).toEqual({ data: { slow: "at last" } });
  const closed = await Promise.all(closedAt);
  expect(closed.map(({ code }) => code)).toEqual(clients.map(() => 1001));
  const times = closed.map(({ at }) => at - startedAt).sort((a, b) => a - b);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(500);
  await stopped;
  expect(performance.now() - startedAt).toBeLessThan(10 * WINDOW_MS);
  await souk.close();
});

test("A request that never ends does not hold the server beyond the window.", async () => {
  const souk = await startServer({ SHUTDOWN_MS: "300", REQUEST_TIMEOUT_MS: "60000" });
  const cut = souk.post({ query: "{ slow }" }).catch(() => "cut");
  await souk.slowAsked;
  const client = await connectSocket(souk.live);
  client.send({ id: "1", type: "subscribe", payload: { query: "{ slow }" } });
  await souk.server.close();
  expect(await cut).toBe("cut");
  await client.closed;
  await souk.close();
});

test("A socket that is executing a query is closed after its answer.", async () => {
  const souk = await startServer({ SHUTDOWN_MS: String(WINDOW_MS) });
  const client = await connectSocket(souk.live);
  const answer = client.run({ query: "{ slow }" });
  await souk.slowAsked;
  const stopped = souk.server.close();
  await until("new connections to be refused", () =>
    fetch(souk.url).then(
      () => false,
      () => true,
    ),
  );
  souk.release();
  expect((await answer)[0]?.payload).toEqual({ data: { slow: "at last" } });
  expect((await client.closed).code).toBe(1001);
  await stopped;
  await souk.close();
});

test("A probe under way when draining began gets 503.", async () => {
  const souk = await startServer({ SHUTDOWN_MS: String(WINDOW_MS) });
  const { hostname, port } = new URL(souk.url);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  socket.write("GET /readyz HTTP/1.1\r\nHost: x\r\n");
  // Answered after the half request above has arrived.
  await fetch(`${souk.url}/livez`);
  const stopped = souk.server.close();
  socket.write("\r\n");
  await until("the answer", () => text.includes('"server":"draining"'));
  expect(text).toMatch(/HTTP\/1.1 503 Service Unavailable/);
  socket.destroy();
  await stopped;
  await souk.close();
});
