/**
 * Sockets that we close: nothing is taken from them afterwards, and no operation runs without a
 * caller.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Principal } from "../../src/domain/account/principal.js";
import { RateLimited } from "../../src/domain/errors.js";
import type { Limits } from "../../src/services/rate-limit/limits.js";
import { startServer, type TestServer } from "../server/test-server.js";
import { connectSocket, openSocket } from "../server/websocket/socket-client.js";
import { until } from "../support/until.js";

const MUTATIONS = 30;

/** A frame as a client sends it. */
function frame(data: string | Buffer, { opcode = 1, masked = true } = {}): Buffer {
  const payload = Buffer.from(data);
  const mask = masked ? randomBytes(4) : Buffer.alloc(0);
  const flag = masked ? 0x80 : 0;
  const length =
    payload.length < 126
      ? Buffer.from([flag | payload.length])
      : Buffer.alloc(payload.length < 65_536 ? 3 : 9);
  if (length.length === 3) length.writeUInt16BE(payload.length, 1);
  if (length.length === 9) length.writeBigUInt64BE(BigInt(payload.length), 1);
  if (length.length > 1) length[0] = flag | (length.length === 3 ? 126 : 127);
  const sent = masked ? payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0)) : payload;
  return Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, sent]);
}

const message = (content: object) => frame(JSON.stringify(content));
const subscribe = (id: string, query: string) =>
  message({ id, type: "subscribe", payload: { query } });
const mutations = (prefix: string) =>
  Array.from({ length: MUTATIONS }, (_, at) =>
    subscribe(`${prefix}${at}`, `mutation { write(text: "${prefix}${at}") }`),
  );
const INIT = message({ type: "connection_init" });
const initOf = (token: string) =>
  message({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });

/** A client that writes what it likes, packet by packet, and never answers a close. */
class RawClient {
  readonly closeCode: Promise<number>;
  private received = Buffer.alloc(0);

  constructor(
    readonly socket: Socket,
    received: Buffer,
  ) {
    this.closeCode = new Promise((resolve) => {
      const take = (part: Buffer) => {
        this.received = Buffer.concat([this.received, part]);
        const code = this.readClose();
        if (code !== null) resolve(code);
      };
      take(received);
      socket.on("data", take);
      socket.on("close", () => resolve(1006));
      socket.on("error", () => {});
    });
  }

  write(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** What was sent is read by the server before the end of the connection is. */
  async end(souk: TestServer): Promise<void> {
    this.socket.end();
    await until("the server to have read everything", async () =>
      /^souk_sockets 0$/m.test((await souk.metrics.render()).text),
    );
  }

  private readClose(): number | null {
    for (let at = 0; at + 2 <= this.received.length; ) {
      const size = (this.received[at + 1] ?? 0) & 0x7f;
      const [head, length] = size === 126 ? [4, this.received.readUInt16BE(at + 2)] : [2, size];
      if (((this.received[at] ?? 0) & 0xf) === 8) return this.received.readUInt16BE(at + head);
      at += head + length;
    }
    return null;
  }
}

async function rawClient(souk: TestServer, protocol = "graphql-transport-ws"): Promise<RawClient> {
  const socket = connect(Number(new URL(souk.url).port), "127.0.0.1");
  const head = [
    "GET /graphql HTTP/1.1",
    "Host: souk",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
  ];
  const key = `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`;
  socket.write([...head, key, `Sec-WebSocket-Protocol: ${protocol}`, "\r\n"].join("\r\n"));
  let answer = Buffer.alloc(0);
  while (!answer.includes("\r\n\r\n"))
    answer = Buffer.concat([answer, (await once(socket, "data"))[0] as Buffer]);
  return new RawClient(socket, answer.subarray(answer.indexOf("\r\n\r\n") + 4));
}

/** Charges wait for a signal: what was sent is then queued, neither refused nor run. */
function heldLimits() {
  let release = () => {};
  let held = false;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const limits: Limits = {
    check: () => {},
    owe: () => {},
    recentlyRejected: () => false,
    takeCredit: () => null,
    async charge(_payer, charge) {
      if (held) await released;
      return { charge, buckets: [], settle: () => undefined };
    },
  };
  const hold = () => {
    held = true;
  };
  return { limits, release, hold };
}

const OPEN: TestServer[] = [];
afterEach(async () => {
  for (const server of OPEN.splice(0)) await server.close();
});

const userOf = (token: string): Principal =>
  token === "unknown"
    ? { kind: "unknown" }
    : {
        kind: "user",
        userId: 7,
        userTag: "7",
        role: "CUSTOMER",
        sessionId: token,
        leftMs: token === "short" ? 50 : 60_000,
      };

/** A server on which every close code can be caused. */
async function start({ initMs = 60_000 }: { readonly initMs?: number } = {}) {
  const { limits, release, hold } = heldLimits();
  const session = { alive: true };
  const ends = new Set<(userId: number | null) => void>();
  const souk = await startServer(
    { LIMIT_SOCKET_MESSAGES_PER_SECOND: "200", LIMIT_SOCKETS_PER_USER: "1" },
    {
      limits: {
        ...limits,
        charge: (payer, charge) =>
          charge.cost === 1 && refuseInit
            ? Promise.reject(new RateLimited("Try again.", 5, { bucket: "address" }))
            : limits.charge(payer, charge),
      },
      authenticate: async (token) =>
        token === undefined ? { kind: "anonymous" } : token === "wrong" ? "invalid" : userOf(token),
      sessions: {
        confirm: async (principal) => (session.alive ? principal : null),
        onEnded: (listener) => {
          ends.add(listener);
          return () => void ends.delete(listener);
        },
      },
      socketTimings: { initMs },
    },
  );
  let refuseInit = false;
  OPEN.push(souk);
  const end = () => {
    session.alive = false;
    for (const listener of ends) listener(7);
  };
  const refuseInits = () => {
    refuseInit = true;
  };
  const expire = () => {
    session.alive = false;
  };
  return { souk, release, hold, end, expire, refuseInits };
}

type Started = Awaited<ReturnType<typeof start>>;

interface Row {
  readonly code: number;
  readonly what: string;
  /** Longest wait for an init; long, where one is sent. */
  readonly initMs?: number;
  /** Sent and answered before. */
  readonly init?: Buffer;
  /** What the close is for. */
  readonly offence?: readonly Buffer[];
  /** The close comes later than the packet: what stood beside it would be closed with 4401. */
  readonly comesLater?: boolean;
  /** What brings the close about besides. */
  cause?(started: Started): unknown;
  readonly protocol?: string;
}

const PINGS = Array.from({ length: 500 }, () => message({ type: "ping" }));
const DEEP = `${'{"a":'.repeat(120)}1${"}".repeat(120)}`;
const ENDLESS = "subscription { endless }";

const ROWS: readonly Row[] = [
  { code: 1008, what: "too many messages", init: INIT, offence: PINGS },
  {
    code: 1009,
    what: "a frame that is too large",
    init: INIT,
    offence: [frame("x".repeat(70_000))],
  },
  {
    code: 1007,
    what: "text that is not UTF-8",
    init: INIT,
    offence: [frame(Buffer.from([0xff, 0xfe]))],
  },
  {
    code: 1002,
    what: "a frame that is not masked",
    init: INIT,
    offence: [frame("{}", { masked: false })],
  },
  { code: 1002, what: "an unknown opcode", init: INIT, offence: [frame("{}", { opcode: 5 })] },
  { code: 4400, what: "a binary frame", init: INIT, offence: [frame("{}", { opcode: 2 })] },
  { code: 4400, what: "a message that is not JSON", init: INIT, offence: [frame("{")] },
  { code: 4400, what: "a message that is nested too deeply", init: INIT, offence: [frame(DEEP)] },
  {
    code: 4400,
    what: "a message of an unknown type",
    init: INIT,
    offence: [message({ type: "start" })],
  },
  {
    code: 4400,
    what: "a message that only a server sends",
    init: INIT,
    offence: [message({ type: "connection_ack" })],
  },
  {
    code: 4400,
    what: "a payload without a document",
    init: INIT,
    offence: [message({ id: "x", type: "subscribe", payload: 1 })],
  },
  { code: 4400, what: "an empty id", init: INIT, offence: [subscribe("", "{ hello }")] },
  { code: 4401, what: "an operation before init", offence: [subscribe("x", "{ hello }")] },
  { code: 4401, what: "an operation beside init", offence: [INIT, subscribe("x", "{ hello }")] },
  { code: 4403, what: "a wrong token", offence: [initOf("wrong")], comesLater: true },
  {
    code: 4409,
    what: "an id in use",
    init: INIT,
    offence: [subscribe("x", ENDLESS), subscribe("x", ENDLESS)],
  },
  {
    code: 4409,
    what: "a long id in use",
    init: INIT,
    offence: ["é".repeat(128), "é".repeat(128)].map((id) => subscribe(id, ENDLESS)),
  },
  {
    code: 4400,
    what: "an id that is too long",
    init: INIT,
    offence: [subscribe("x".repeat(129), ENDLESS)],
  },
  {
    code: 4400,
    what: "an id as long as a frame takes",
    init: INIT,
    offence: [subscribe("x".repeat(60_000), ENDLESS)],
  },
  { code: 4429, what: "a second init", init: INIT, offence: [INIT] },
  { code: 4429, what: "a second init beside the first", offence: [INIT, INIT] },
  { code: 4406, what: "another subprotocol", protocol: "graphql-ws", offence: [INIT] },
  { code: 4408, what: "no init in time", initMs: 300 },
  {
    code: 1013,
    what: "an init that is refused by the limiter",
    offence: [INIT],
    comesLater: true,
    cause: ({ refuseInits }) => refuseInits(),
  },
  {
    code: 1013,
    what: "a session that cannot be looked up",
    offence: [initOf("unknown")],
    comesLater: true,
  },
  {
    code: 1013,
    what: "a user with too many sockets",
    offence: [initOf("session")],
    comesLater: true,
    cause: ({ souk }) =>
      connectSocket(souk.live, { authorization: "Bearer session" }).then(
        ({ socket }) => void EXTRA.push(socket),
      ),
  },
  {
    code: 4401,
    what: "a session that was revoked",
    init: initOf("session"),
    cause: ({ end }) => end(),
  },
  {
    code: 4403,
    what: "a session that ran out",
    init: initOf("short"),
    cause: ({ expire }) => expire(),
  },
  {
    code: 1001,
    what: "a server that stops",
    init: INIT,
    cause: ({ souk }) => void souk.server.close(),
  },
];

const EXTRA: { terminate(): void }[] = [];

/** A client that has done everything up to the close, except for the offence. */
async function prepare(started: Started, { init, protocol }: Row): Promise<RawClient> {
  const client = await rawClient(started.souk, protocol);
  if (init) {
    client.write(init);
    await once(client.socket, "data");
  }
  return client;
}

describe("After a close of ours no mutation runs.", () => {
  test.each(ROWS)(
    "A socket closed with $code for $what runs nothing that was sent with it or later.",
    async (row) => {
      const started = await start(row);
      const client = await prepare(started, row);
      await row.cause?.(started);
      if (row.offence) client.write(...row.offence, ...(row.comesLater ? [] : mutations("beside")));
      expect(await client.closeCode).toBe(row.code);
      client.write(...mutations("after"), INIT, ...mutations("again"));
      for (const socket of EXTRA.splice(0)) socket.terminate();
      await client.end(started.souk);
      expect(started.souk.writes.count).toBe(0);
    },
  );

  const queued = ROWS.filter(({ init, offence }) => init && offence);
  test.each(queued)(
    "A socket closed with $code for $what drops what it had queued.",
    async (row) => {
      const started = await start(row);
      const client = await prepare(started, row);
      started.hold();
      client.write(...mutations("before"), ...(row.offence ?? []));
      expect(await client.closeCode).toBe(row.code);
      started.release();
      await client.end(started.souk);
      expect(started.souk.writes.count).toBe(0);
    },
  );

  test("A socket we closed ends its subscriptions, though the client keeps it open.", async () => {
    const { souk } = await start();
    const client = await rawClient(souk);
    client.write(INIT);
    client.write(subscribe("a", ENDLESS), subscribe("b", ENDLESS));
    await until("both to run", () => souk.sources.open === 2);
    client.write(frame("{"));
    expect(await client.closeCode).toBe(4400);
    await until("both to end", () => souk.sources.open === 0);
    expect(client.socket.destroyed).toBe(false);
    client.socket.destroy();
  });

  test("A client that never answers our close is cut.", async () => {
    const { souk } = await start();
    const client = await rawClient(souk);
    client.write(frame("{"));
    expect(await client.closeCode).toBe(4400);
    await once(client.socket, "close");
  });
});

describe("A socket whose client leaves during init is not counted for its user.", () => {
  test("The next socket of the user is welcome.", async () => {
    const { souk, hold, release } = await start();
    hold();
    const client = await rawClient(souk);
    client.write(initOf("session"));
    await client.end(souk);
    release();
    const next = await openSocket(souk.live);
    next.send({ type: "connection_init", payload: { authorization: "Bearer session" } });
    expect(await next.next()).toMatchObject({ type: "connection_ack" });
    await next.close();
  });
});
