/** Two thousand generated documents over both transports: always an answer, never a 5xx, never something of the inside. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ERROR_CODES } from "../../../src/domain/errors.js";
import { type Answer, startServer, type TestServer } from "../test-server.js";
import { ask, connectSocket } from "../websocket/socket-client.js";
import { generate } from "./generated.js";

const DOCUMENTS = 2_000;
const SEED = 20_261_123;
const MAX_CPU_SECONDS = 2;
const MICROSECONDS = 1e6;
const INTERNALS = /\bat .*:\d+:\d+|node_modules|\/src\/|stacktrace|secret|redis:\/\/|hunter2/i;

let souk: TestServer;

beforeAll(async () => {
  souk = await startServer({ LIMIT_SOCKET_MESSAGES_PER_SECOND: "1e6" });
});
afterAll(() => souk.close());

const codesOf = ({ errors }: Answer) =>
  [...new Set((errors ?? []).map(({ extensions }) => extensions.code))].sort();

test(`${DOCUMENTS} documents are answered alike over HTTP and WebSocket, within ${MAX_CPU_SECONDS} s of CPU, without a 5xx or a leak.`, async () => {
  const client = await connectSocket(souk.live);
  const seen = { ok: 0, refused: 0 };
  for (const payload of generate(DOCUMENTS, SEED)) {
    const before = process.cpuUsage();
    const http = await souk.post(payload);
    const { user, system } = process.cpuUsage(before);
    const socket = await ask(client, payload);
    const told = () => JSON.stringify({ payload, status: http.status, http: http.text, socket });
    expect(http.status, told()).toBeLessThan(500);
    expect((user + system) / MICROSECONDS, told()).toBeLessThan(MAX_CPU_SECONDS);
    expect(http.text + JSON.stringify(socket), told()).not.toMatch(INTERNALS);
    expect(codesOf(http.body), told()).toEqual(codesOf(socket));
    expect(http.body.data ?? null, told()).toEqual(socket.data ?? null);
    for (const code of codesOf(http.body)) expect(ERROR_CODES).toContain(code);
    if (http.status === 200) seen.ok++;
    else seen.refused++;
  }
  await client.close();
  // A generator of nothing but errors, or of none, would show nothing.
  expect(seen.ok).toBeGreaterThan(DOCUMENTS / 10);
  expect(seen.refused).toBeGreaterThan(DOCUMENTS / 10);
});
