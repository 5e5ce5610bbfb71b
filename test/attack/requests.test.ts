/**
 * Requests at the edge of HTTP, over raw connections: each has one answer, whatever it looks like.
 */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TestServer, TOKEN } from "../server/test-server.js";
import { ask, connectSocket, openSocket } from "../server/websocket/socket-client.js";

let souk: TestServer;
beforeAll(async () => {
  souk = await startServer();
});
afterAll(() => souk.close());

const BODY = JSON.stringify({ query: "mutation { own }" });
const CHUNKS = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
const POST = "POST /graphql HTTP/1.1\r\nHost: souk\r\nContent-Type: application/json\r\n";
const SIZED = `Content-Length: ${BODY.length}\r\n`;
const WHOLE = `${POST}${SIZED}\r\n${BODY}`;
const GET = "GET /livez HTTP/1.1\r\nHost: souk\r\n";
/** Never answered: it stands where a second request would be smuggled. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: souk\r\nConnection: close\r\n\r\n";
/** Sent after each row: ends a connection that is still open, by an answer of its own. */
const LAST = "GET /last HTTP/1.1\r\nHost: souk\r\nConnection: close\r\n\r\n";

/** Statuses of all answers to what is sent in one packet, until the server hangs up. */
async function statusesOf(sent: string): Promise<number[]> {
  const socket = connect(Number(new URL(souk.url).port), "127.0.0.1");
  socket.write(sent, "latin1");
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return [
    ...Buffer.concat(parts)
      .toString("latin1")
      .matchAll(/HTTP\/1\.1 (\d{3}) /g),
  ].map(([, status]) => Number(status));
}

interface Row {
  readonly name: string;
  readonly sent: string;
}

const REFUSED: readonly Row[] = [
  { name: "an unknown transfer coding", sent: `${POST}Transfer-Encoding: xchunked\r\n\r\n` },
  {
    name: "an unknown transfer coding with a body",
    sent: `${POST}Transfer-Encoding: xchunked\r\n\r\n${CHUNKS}`,
  },
  {
    name: "an unknown transfer coding of a GET",
    sent: `${GET}Transfer-Encoding: xchunked\r\n\r\n`,
  },
  {
    name: "an unknown transfer coding of a GET, then a request",
    sent: `${GET}Transfer-Encoding: xchunked\r\n\r\n${SMUGGLED}`,
  },
  {
    name: "a coding before chunked",
    sent: `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNKS}`,
  },
  {
    name: "a coding after chunked",
    sent: `${POST}Transfer-Encoding: chunked, identity\r\n\r\n${CHUNKS}`,
  },
  {
    name: "chunked twice",
    sent: `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  },
  {
    name: "the coding identity",
    sent: `${POST}Transfer-Encoding: identity\r\n${SIZED}\r\n${BODY}`,
  },
  {
    name: "the coding identity of a GET",
    sent: `${GET}Transfer-Encoding: identity\r\n\r\n${SMUGGLED}`,
  },
  { name: "an empty coding", sent: `${POST}Transfer-Encoding:\r\n${SIZED}\r\n${BODY}` },
  { name: "a quoted coding", sent: `${POST}Transfer-Encoding: "chunked"\r\n\r\n${CHUNKS}` },
  {
    name: "chunked and a length",
    sent: `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${CHUNKS}${SMUGGLED}`,
  },
  {
    name: "a length and chunked",
    sent: `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}${SMUGGLED}`,
  },
  {
    name: "chunked in HTTP/1.0",
    sent: `${POST.replace("1.1", "1.0")}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  },
  { name: "one length twice", sent: `${POST}${SIZED}${SIZED}\r\n${BODY}` },
  { name: "two lengths", sent: `${POST}Content-Length: 5\r\n${SIZED}\r\n${BODY}` },
  { name: "a list of lengths", sent: `${POST}Content-Length: 5, 5\r\n\r\n${BODY}` },
  { name: "a signed length", sent: `${POST}Content-Length: +${BODY.length}\r\n\r\n${BODY}` },
  { name: "a negative length", sent: `${POST}Content-Length: -1\r\n\r\n${BODY}` },
  { name: "a hexadecimal length", sent: `${POST}Content-Length: 0x10\r\n\r\n${BODY}` },
  {
    name: "a chunk without a size",
    sent: `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n${BODY}\r\n0\r\n\r\n`,
  },
  {
    name: "a chunk that is longer than its size",
    sent: `${POST}Transfer-Encoding: chunked\r\n\r\n2\r\n${BODY}\r\n0\r\n\r\n`,
  },
  {
    name: "a chunk size that overflows",
    sent: `${POST}Transfer-Encoding: chunked\r\n\r\n${"f".repeat(20)}\r\n${BODY}`,
  },
  { name: "a folded header", sent: `${POST}X-Folded: a\r\n b\r\n${SIZED}\r\n${BODY}` },
  { name: "a folded coding", sent: `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n${CHUNKS}` },
  { name: "bare line feeds", sent: WHOLE.replaceAll("\r\n", "\n") },
  { name: "a bare carriage return", sent: `${POST}X-Bare: a\rb\r\n${SIZED}\r\n${BODY}` },
  {
    name: "a space before the colon",
    sent: `${POST}Content-Length : ${BODY.length}\r\n\r\n${BODY}`,
  },
  { name: "a header without a name", sent: `${POST}: a\r\n${SIZED}\r\n${BODY}` },
  { name: "a NUL in a header", sent: `${POST}X-Nul: a\0b\r\n${SIZED}\r\n${BODY}` },
  { name: "no host", sent: WHOLE.replace("Host: souk\r\n", "") },
  { name: "two hosts", sent: WHOLE.replace("Host: souk\r\n", "Host: souk\r\nHost: other\r\n") },
  {
    name: "two authorizations",
    sent: `${POST}Authorization:\r\nAuthorization: Bearer x\r\n${SIZED}\r\n${BODY}`,
  },
  { name: "no HTTP at all", sent: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" },
  {
    name: "an upgrade with a body",
    sent:
      `${GET.replace("/livez", "/graphql")}Upgrade: websocket\r\nConnection: ` +
      "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
      `MDEyMzQ1Njc4OWFiY2RlZg==\r\n${SIZED}\r\n${BODY}`,
  },
];

const SERVED: readonly (Row & { readonly statuses: readonly number[] })[] = [
  // The body of a GET is not read, so its fault comes after its answer.
  {
    name: "a bad chunk of a GET",
    sent: `${GET}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${SMUGGLED}`,
    statuses: [200],
  },
  { name: "a length", sent: `${WHOLE}${LAST}`, statuses: [200, 404] },
  {
    name: "chunks",
    sent: `${POST}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}${LAST}`,
    statuses: [200, 404],
  },
  {
    name: "chunks with a coding in capitals",
    sent: `${POST}Transfer-Encoding: CHUNKED\r\n\r\n${CHUNKS}${LAST}`,
    statuses: [200, 404],
  },
  { name: "a GET", sent: `${GET}\r\n${LAST}`, statuses: [200, 404] },
  {
    name: "three requests in one packet",
    sent: `${WHOLE}${GET}\r\n${WHOLE}${LAST}`,
    statuses: [200, 200, 200, 404],
  },
  {
    name: "a good request before one that is none",
    sent: `${WHOLE}BAD\r\n\r\n${LAST}`,
    statuses: [200, 400],
  },
  {
    name: "a good request before an unknown coding",
    sent: `${WHOLE}${GET}Transfer-Encoding: xchunked\r\n\r\n${SMUGGLED}`,
    statuses: [200, 400],
  },
  {
    name: "a good request before a bad chunk",
    sent: `${WHOLE}${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    statuses: [200, 400],
  },
];

describe("A request of doubtful framing has one answer, and its connection is closed.", () => {
  test.each(REFUSED)("A request with $name is refused.", async ({ sent }) =>
    expect(await statusesOf(`${sent}${LAST}`)).toEqual([400]),
  );
});

describe("A request that can be read has its own answer, in turn.", () => {
  test.each(SERVED)(
    "A connection with $name has these answers: $statuses",
    async ({ sent, statuses }) => expect(await statusesOf(sent)).toEqual(statuses),
  );
});

describe("What is empty is absent.", () => {
  const SEARCH = { query: "query One { whoAmI }" };
  const me = (headers: Record<string, string>) => souk.post({ query: "{ whoAmI mine }" }, headers);

  const EMPTY_HEADERS: readonly Record<string, string>[] = [
    { authorization: "" },
    { authorization: "   " },
    { authorization: "Bearer" },
    { authorization: "Bearer " },
    { authorization: "bearer    " },
    { cookie: "" },
    { cookie: "souk_session=" },
    { cookie: "souk_session=; souk_guest=; souk_seen=" },
    { "souk-seen": "" },
    { "souk-guest": "" },
    { "souk-cache": "" },
    { "souk-cache-report": "" },
    { origin: "" },
    { "content-encoding": "" },
    { accept: "" },
    { "user-agent": "" },
    { "x-forwarded-for": "" },
  ];
  test.each(EMPTY_HEADERS)("Over HTTP these headers change nothing: %j.", async (headers) => {
    expect((await me(headers)).body).toEqual({ data: { whoAmI: "anonymous", mine: "null" } });
  });

  test.each([
    "Bearer undefined",
    "Bearer null",
    "Bearer x",
    "undefined",
    "Basic",
    "Basic eDp5",
    "Token x",
  ])("The header Authorization: %s is refused.", async (authorization) => {
    const { status, body } = await me({ authorization });
    expect([status, body.errors?.[0]?.extensions.code]).toEqual([401, "UNAUTHENTICATED"]);
  });

  test("A good cookie counts beside an empty header.", async () => {
    const wrote = await souk.post({ query: "mutation { own }" });
    const guest = wrote.headers.get("souk-guest") ?? "";
    for (const authorization of ["", "Bearer "]) {
      const { body } = await me({ authorization, "souk-guest": "", cookie: `souk_guest=${guest}` });
      expect(body.data?.mine).toContain(guest.split(".")[0]);
    }
  });

  test.each([
    { authorization: "" },
    { authorization: " " },
    { Authorization: "Bearer " },
    { authorization: null },
    { guest: "" },
    { guest: null, "souk-seen": "", "souk-cache": "" },
    { Authorization: `Bearer ${TOKEN}`, authorization: "" },
  ])("In connection_init these parameters change nothing: %j.", async (init) => {
    const client = await connectSocket(souk.live, init);
    const isService = "Authorization" in init && init.Authorization !== "Bearer ";
    expect(await ask(client, { query: "{ whoAmI }" })).toEqual({
      data: { whoAmI: isService ? "service" : "anonymous" },
    });
    await client.close();
  });

  test("In connection_init `Bearer undefined` is refused.", async () => {
    const client = await openSocket(souk.live);
    client.send({ type: "connection_init", payload: { authorization: "Bearer undefined" } });
    expect((await client.closed).code).toBe(4403);
  });

  const ANSWER = { data: { whoAmI: "anonymous" } };
  const EMPTY_PARAMETERS: readonly Record<string, string>[] = [
    { operationName: "" },
    { variables: "" },
    { extensions: "" },
    { documentId: "" },
    { variables: "null" },
    { extensions: "null" },
    { variables: " " },
    { operationName: "", variables: "", extensions: "", documentId: "" },
  ];
  test.each(EMPTY_PARAMETERS)("By GET these parameters change nothing: %j.", async (parameters) => {
    const answer = await fetch(
      `${souk.graphql}?${new URLSearchParams({ ...SEARCH, ...parameters })}`,
      {
        headers: { "apollo-require-preflight": "1" },
      },
    );
    expect(await answer.json()).toEqual(ANSWER);
  });

  const NULLS: readonly Record<string, unknown>[] = [
    { operationName: null },
    { operationName: "" },
    { variables: null },
    { variables: "" },
    { extensions: null },
    { extensions: "" },
    { documentId: null },
    { documentId: "" },
    { extensions: { persistedQuery: null } },
    { operationName: null, variables: null, extensions: null, documentId: null },
  ];
  test.each(NULLS)(
    "By POST and over WebSocket these parameters change nothing: %j.",
    async (parameters) => {
      const payload = { ...SEARCH, ...parameters };
      expect((await souk.post(payload)).body).toEqual(ANSWER);
      const client = await connectSocket(souk.live);
      expect(await ask(client, payload)).toEqual(ANSWER);
      await client.close();
    },
  );

  test.each([{ query: null }, { query: "" }, {}])(
    "A request without a document is refused for itself: %j.",
    async (payload) => {
      const { status, body } = await souk.post({ ...payload, operationName: "One" });
      expect([status, body.errors?.[0]?.extensions.code]).toEqual([400, "BAD_USER_INPUT"]);
      const client = await connectSocket(souk.live);
      expect((await ask(client, payload)).errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
      await client.close();
    },
  );
});
