/**
 * More is asked than a process may have under way: what is beyond is refused at once, and costs
 * nothing to those that are let in.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { ANONYMOUS, SERVICE } from "../../src/domain/account/principal.js";
import {
  type Answer,
  type AuthenticateToken,
  startServer,
  type TestServer,
  TOKEN,
} from "../server/test-server.js";
import { ask, connectSocket, openSocket } from "../server/websocket/socket-client.js";
import { until } from "../support/until.js";

const USER_TOKEN = "the-token-of-a-user";
const SLOW = { query: "{ slow }" };
const HELLO = { query: "{ hello }" };

const authenticate: AuthenticateToken = async (token) => {
  if (token === undefined) return ANONYMOUS;
  if (token === TOKEN) return SERVICE;
  if (token !== USER_TOKEN) return "invalid";
  return {
    kind: "user",
    userId: 7,
    userTag: "tag",
    role: "CUSTOMER",
    sessionId: "session",
    leftMs: 600_000,
    level: "PASSWORD",
  } as never;
};

let open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.reverse()) await one.close();
  open = [];
});

async function start(env: Record<string, string>): Promise<TestServer> {
  const souk = await startServer({ TRUSTED_PROXIES: "127.0.0.1", ...env }, { authenticate });
  open.push(souk);
  return souk;
}

const from = (address: number) => ({ "x-forwarded-for": `203.0.113.${address}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Requests under way, as the metrics of the server say. */
async function inFlight({ metrics }: TestServer, name: string): Promise<number> {
  const { text } = await metrics.render();
  return Number(new RegExp(`souk_in_flight\\{class="${name}"\\} (\\d+)`).exec(text)?.[1]);
}

/** Slow queries of several addresses that are under way when it resolves. */
async function fill(souk: TestServer, count: number): Promise<Promise<{ status: number }>[]> {
  const slow = Array.from({ length: count }, (_, at) => souk.post(SLOW, from(at + 1)));
  await until(`${count} to be under way`, async () => (await inFlight(souk, "address")) === count);
  return slow;
}

const refusalOf = ({
  status,
  headers,
  body,
}: {
  status: number;
  headers: Headers;
  body: Answer;
}) => ({
  status,
  code: body.errors?.[0]?.extensions.code,
  retryAfter: headers.get("retry-after"),
});
const REFUSED = {
  status: 503,
  code: "SERVICE_UNAVAILABLE",
  retryAfter: expect.stringMatching(/^[12]$/),
};

/** Sends the head of a request and no body; what comes back. */
function sendHead(
  { url }: TestServer,
  bytes: number | "unknown",
  address: number,
  more: readonly string[] = [],
): { socket: Socket; answer: Promise<string> } {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  open.push({ close: () => socket.destroy() });
  const length = bytes === "unknown" ? "Transfer-Encoding: chunked" : `Content-Length: ${bytes}`;
  const head = [
    "POST /graphql HTTP/1.1",
    "Host: souk",
    "Content-Type: application/json",
    length,
    ...more,
  ];
  socket.write(`${[...head, `X-Forwarded-For: 203.0.113.${address}`].join("\r\n")}\r\n\r\n`);
  const answer = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\r\n\r\n")) resolve(text);
    });
    socket.on("close", () => resolve(text));
  });
  return { socket, answer };
}

describe("A process whose places are taken by callers without an identity", () => {
  const full = async () => {
    const souk = await start({ LOAD_ADDRESS: "4" });
    expect((await souk.post(HELLO, bearer(USER_TOKEN))).status).toBe(200);
    return { souk, slow: await fill(souk, 4) };
  };

  test("A process without a free place refuses callers, and serves users and probes.", async () => {
    const { souk, slow } = await full();
    const refused = await souk.post(HELLO, from(9));
    expect(refusalOf(refused)).toEqual(REFUSED);
    expect(refused.body.errors?.[0]?.extensions).toMatchObject({
      retryAfterMs: expect.any(Number),
      requestId: expect.any(String),
    });
    expect(refused.headers.get("x-content-type-options")).toBe("nosniff");
    for (const token of [USER_TOKEN, TOKEN])
      expect((await souk.post(HELLO, bearer(token))).status).toBe(200);
    for (const page of ["livez", "readyz", "metrics"])
      expect((await fetch(`${souk.url}/${page}`)).status).toBe(200);
    // A token that this process has not verified takes no place of users.
    expect((await souk.post(HELLO, bearer("unknown"))).status).toBe(503);
    souk.release();
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await souk.post(HELLO, from(9))).status).toBe(200);
    expect(await inFlight(souk, "address")).toBe(0);
  });

  test("A process without a free place answers before the refused body arrives.", async () => {
    const { souk } = await full();
    const { answer } = sendHead(souk, 200_000, 9);
    expect(await answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nretry-after: [12]\r\n/i);
  });

  test("A process without a free place refuses an operation and keeps its socket.", async () => {
    const souk = await start({ LOAD_ADDRESS: "4" });
    const client = await connectSocket(souk.live, {}, { headers: from(9) });
    await fill(souk, 4);
    const refused = await ask(client, HELLO);
    expect(refused.errors?.[0]?.extensions).toMatchObject({
      code: "SERVICE_UNAVAILABLE",
      retryAfterMs: expect.any(Number),
    });
    souk.release();
    await until("places to be free", async () => (await inFlight(souk, "address")) === 0);
    expect((await ask(client, HELLO)).data).toEqual({ hello: "Hello world" });
    await client.close();
  });

  test("A process without a free place closes callers' sockets, and welcomes a user.", async () => {
    const { souk } = await full();
    const anonymous = await openSocket(souk.live, { headers: from(9) });
    anonymous.send({ type: "connection_init" });
    expect((await anonymous.closed).code).toBe(1013);
    const user = await connectSocket(souk.live, { authorization: `Bearer ${USER_TOKEN}` });
    expect((await ask(user, HELLO)).data).toEqual({ hello: "Hello world" });
    await user.close();
  });
});

test("One address takes at most half of the places.", async () => {
  const souk = await start({ LOAD_ADDRESS: "4" });
  const mine = [souk.post(SLOW, from(1)), souk.post(SLOW, from(1))];
  await until("two to be under way", async () => (await inFlight(souk, "address")) === 2);
  expect(refusalOf(await souk.post(HELLO, from(1)))).toEqual(REFUSED);
  expect((await souk.post(HELLO, from(2))).status).toBe(200);
  souk.release();
  await Promise.all(mine);
});

test("A client that hangs up does not free the place of a running operation.", async () => {
  const souk = await start({ LOAD_ADDRESS: "2" });
  const hungUp = new AbortController();
  const headers = { "content-type": "application/json", ...from(1) };
  const lost = fetch(souk.graphql, {
    method: "POST",
    headers,
    body: JSON.stringify(SLOW),
    signal: hungUp.signal,
  }).catch(() => "hung up");
  await souk.slowAsked;
  hungUp.abort();
  expect(await lost).toBe("hung up");
  expect(refusalOf(await souk.post(HELLO, from(1)))).toEqual(REFUSED);
  souk.release();
  await until("the place to be free", async () => (await inFlight(souk, "address")) === 0);
  expect((await souk.post(HELLO, from(1))).status).toBe(200);
});

test("Requests whose bodies are late take no place of others, and none on arrival.", async () => {
  const souk = await start({ LOAD_ADDRESS: "2" });
  const stalled = [1, 2, 3, 4, 5].map((address) =>
    sendHead(souk, 40, address, ["Expect: 100-continue"]),
  );
  for (const { answer } of stalled) expect(await answer).toMatch(/^HTTP\/1\.1 100 /);
  expect((await souk.post(HELLO, from(9))).status).toBe(200);
  const slow = await fill(souk, 2);
  const late = stalled.map(({ socket }) => once(socket, "data") as Promise<[Buffer]>);
  for (const { socket } of stalled) socket.write(JSON.stringify(HELLO).padEnd(40));
  for (const [answer] of await Promise.all(late))
    expect(String(answer)).toMatch(/^HTTP\/1\.1 503 /);
  souk.release();
  await Promise.all(slow);
  expect(await inFlight(souk, "address")).toBe(0);
});

describe("Bodies that are announced", () => {
  test("Announced bodies are bounded by bytes, and one address has a share of them.", async () => {
    const souk = await start({ LOAD_BODY_BYTES: "1048576" });
    const heads = [1, 2].map((address) =>
      sendHead(souk, 250_000, address, ["Expect: 100-continue"]),
    );
    for (const { answer } of heads) expect(await answer).toMatch(/^HTTP\/1\.1 100 /);
    expect(await sendHead(souk, 30_000, 3).answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(await sendHead(souk, 1_000, 1).answer).toMatch(/^HTTP\/1\.1 503 /);
    expect((await souk.post(HELLO, from(3))).status).toBe(200);
  });

  test("Bodies without a length count as the longest body.", async () => {
    const souk = await start({ LOAD_BODY_BYTES: "1048576", LIMIT_BODY_BYTES: "262144" });
    const heads = [1, 2].map((address) =>
      sendHead(souk, "unknown", address, ["Expect: 100-continue"]),
    );
    for (const { answer } of heads) expect(await answer).toMatch(/^HTTP\/1\.1 100 /);
    expect(await sendHead(souk, 100, 3).answer).toMatch(/^HTTP\/1\.1 503 /);
  });

  test("Refused bodies without a length close the connection, whatever the bound.", async () => {
    const souk = await start({ LOAD_ADDRESS: "1", LIMIT_BODY_BYTES: "16384" });
    expect((await souk.post(HELLO, bearer(USER_TOKEN))).status).toBe(200);
    await fill(souk, 1);
    for (const more of [[], ["Authorization: Bearer invented"]])
      expect(await sendHead(souk, "unknown", 9, more).answer).toMatch(
        /^HTTP\/1\.1 503 [\s\S]*connection: close/i,
      );
  });

  test("Bodies of callers without an identity leave the bytes of users.", async () => {
    const souk = await start({ LOAD_BODY_BYTES: "1048576" });
    expect((await souk.post(HELLO, bearer(USER_TOKEN))).status).toBe(200);
    for (const address of [1, 2]) sendHead(souk, 250_000, address);
    expect(await sendHead(souk, 250_000, 3).answer).toMatch(/^HTTP\/1\.1 503 /);
    const large = { ...HELLO, variables: { unused: "x".repeat(200_000) } };
    expect((await souk.post(large, bearer(USER_TOKEN))).status).toBe(200);
  });
});

test("The time of an operation runs from its arrival: what is late is not executed.", async () => {
  const souk = await start({ REQUEST_TIMEOUT_MS: "200" });
  const body = JSON.stringify({ query: "mutation { write }" });
  const { socket, answer } = sendHead(souk, body.length, 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.write(body);
  expect(await answer).toMatch(/^HTTP\/1\.1 504 [\s\S]*DEADLINE_EXCEEDED/);
  expect(souk.writes.count).toBe(0);
});

test("Every request of a crowd is either done once or refused, and never both.", async () => {
  const souk = await start({ LOAD_ADDRESS: "8" });
  const slow = await fill(souk, 8);
  const write = (at: number) => souk.post({ query: "mutation { write }" }, from(10 + (at % 200)));
  const crowd = async () =>
    (await Promise.all(Array.from({ length: 100 }, (_, at) => write(at)))).map(
      ({ status }) => status,
    );
  expect(new Set(await crowd())).toEqual(new Set([503]));
  expect(souk.writes.count).toBe(0);
  souk.release();
  await Promise.all(slow);
  const statuses = await crowd();
  expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
  expect(souk.writes.count).toBe(statuses.filter((status) => status === 200).length);
  expect(await inFlight(souk, "address")).toBe(0);
});
