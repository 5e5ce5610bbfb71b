/** What the WebSocket side promises: subscriptions, bounds, and nothing left behind. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../support/files.js";
import { type NodeProcess, runModule } from "../../support/node-process.js";
import { until } from "../../support/until.js";
import { startServer, type TestServer } from "../test-server.js";
import { ask, connectSocket, type SocketClient } from "./socket-client.js";

const OPERATIONS = 5;
const HANG_MS = 10_000;
let souk: TestServer;

beforeAll(async () => {
  souk = await startServer({ LIMIT_SOCKET_OPERATIONS: String(OPERATIONS) });
});
afterAll(() => souk.close());

/**
 * A server for one test, of which a promise is so short that a busy machine would break it
 * elsewhere.
 */
async function own(...options: Parameters<typeof startServer>): Promise<TestServer> {
  const server = await startServer(...options);
  onTestFinished(() => server.close());
  return server;
}
const BEATING = { socketTimings: { heartbeatMs: 100 } };

const gauge = async (name: string) =>
  Number(new RegExp(`^${name} (\\d+)$`, "m").exec((await souk.metrics.render()).text)?.[1]);

test("A subscription sends its events and completes, each in a context of its own.", async () => {
  const client = await connectSocket(souk.live);
  const messages = await client.run({
    query: "subscription { ticks(times: 3) { number context } }",
  });
  expect(messages.map(({ type }) => type)).toEqual(["next", "next", "next", "complete"]);
  const ticks = messages
    .slice(0, 3)
    .map(
      ({ payload }) =>
        (payload as { data: { ticks: { number: number; context: number } } }).data.ticks,
    );
  expect(ticks.map(({ number }) => number)).toEqual([1, 2, 3]);
  expect(new Set(ticks.map(({ context }) => context)).size).toBe(3);
  await client.close();
});

test("A source that breaks sends a formatted error, without what it threw.", async () => {
  const client = await connectSocket(souk.live);
  const messages = await client.run({ query: "subscription { crashes }" });
  expect(messages.map(({ type }) => type)).toEqual(["next", "error"]);
  expect(messages[1]?.payload).toMatchObject([{ extensions: { code: "INTERNAL_SERVER_ERROR" } }]);
  expect(JSON.stringify(messages)).not.toContain("secret");
  await client.close();
});

test("A refused subscription says why.", async () => {
  const client = await connectSocket(souk.live);
  expect((await ask(client, { query: "subscription { refused }" })).errors?.[0]).toMatchObject({
    message: "Not for you.",
    extensions: { code: "FORBIDDEN" },
  });
  await client.close();
});

test("A subscription that does not start in time is DEADLINE_EXCEEDED.", async () => {
  const client = await connectSocket((await own({ REQUEST_TIMEOUT_MS: "100" })).live);
  expect(
    (await ask(client, { query: "subscription { never }" })).errors?.[0]?.extensions.code,
  ).toBe("DEADLINE_EXCEEDED");
  await client.close();
});

async function watch(client: SocketClient, id: string): Promise<void> {
  client.send({ id, type: "subscribe", payload: { query: "subscription { endless }" } });
  expect(await client.next()).toMatchObject({ id, type: "next" });
}

test("A completed subscription or a closed socket ends the source at once.", async () => {
  const client = await connectSocket(souk.live);
  await watch(client, "a");
  await watch(client, "b");
  expect([souk.sources.open, await gauge("souk_subscriptions")]).toEqual([2, 2]);
  client.send({ id: "a", type: "complete" });
  await until("the source to end", () => souk.sources.open === 1);
  await client.close();
  await until("the other source to end", () => souk.sources.open === 0);
  await until(
    "the gauges to fall",
    async () => (await gauge("souk_subscriptions")) === 0 && (await gauge("souk_sockets")) === 0,
  );
});

test(`A socket runs ${OPERATIONS} operations at once, and one more is refused alone.`, async () => {
  const client = await connectSocket(souk.live);
  for (let at = 0; at < OPERATIONS; at++) await watch(client, String(at));
  expect((await ask(client, { query: "{ hello }" })).errors?.[0]?.extensions.code).toBe(
    "RATE_LIMITED",
  );
  client.send({ id: "0", type: "complete" });
  await until("a place to be free", () => souk.sources.open === OPERATIONS - 1);
  expect(await ask(client, { query: "{ hello }" })).toEqual({ data: { hello: "Hello world" } });
  await client.close();
});

test("A socket that answers no ping is terminated and its subscriptions end.", async () => {
  const { live, sources } = await own({}, BEATING);
  const client = await connectSocket(live, {}, { autoPong: false });
  await watch(client, "a");
  expect((await client.closed).code).toBe(1006);
  await until("its source to end", () => sources.open === 0);
});

test("A client that answers lives on where this process was too busy to read it.", async () => {
  const heartbeatMs = 400;
  const server = await own({}, { socketTimings: { heartbeatMs: heartbeatMs } });
  const { path, remove } = await temporaryFolder("pongs");
  onTestFinished(remove);
  const file = join(path, "answered");
  const client = clientApart(server.live, file);
  expect(await client.nextLine()).toBe("welcome");
  for (let pings = 0; pings < 3; pings++) await busy(heartbeatMs, () => answered(file) >= pings);
  expect(client.child.exitCode).toBeNull();
  expect((await server.metrics.render()).text).toMatch(/^souk_sockets 1$/m);
});

/**
 * A client in a process of its own, which notes in a file that it has answered a ping, and ends
 * with its socket.
 */
function clientApart(url: string, file: string): NodeProcess {
  return runModule(`
    import { appendFileSync } from "node:fs";
    import { WebSocket } from "ws";
    const socket = new WebSocket("${url}", ["graphql-transport-ws"]);
    socket.on("open", () => socket.send('{"type":"connection_init"}'));
    socket.on("message", () => console.log("welcome"));
    socket.on("ping", () => appendFileSync("${file}", "."));
  `);
}

const answered = (file: string): number => (existsSync(file) ? statSync(file).size : 0);

/**
 * Keeps this process from everything for longer than a beat and until `done`; then lets it go round
 * until it has sent a ping.
 */
async function busy(heartbeatMs: number, done: () => boolean): Promise<void> {
  const from = performance.now();
  const elapsed = () => performance.now() - from;
  while (elapsed() < heartbeatMs * 1.1 || (!done() && elapsed() < HANG_MS));
  for (let rounds = 0; rounds < 3; rounds++) await new Promise((resolve) => setImmediate(resolve));
}

test("A client that stops reading is terminated and its subscriptions end.", async () => {
  const { live, sources } = await own({}, BEATING);
  const client = await connectSocket(live);
  await watch(client, "a");
  client.socket.pause();
  await until("its source to end", () => sources.open === 0);
  client.socket.terminate();
});

test("A client that pings gets its pong.", async () => {
  const client = await connectSocket(souk.live);
  client.send({ type: "ping", payload: { at: 1 } });
  expect(await client.next()).toEqual({ type: "pong", payload: { at: 1 } });
  await client.close();
});
