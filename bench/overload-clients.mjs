/**
 * Many connections in a process of their own that send views, told what to do over IPC: `{ port,
 * addresses, connections, perSecond, seconds, ids }`. With `perSecond` the load is open: requests leave when
 * they are due, whether or not earlier ones were answered, on a connection that is free; without,
 * it is closed: each connection sends the next when it has an answer. Requests are raw bytes, so
 * that the load is the server's.
 */
import { randomUUID } from "node:crypto";
import { connect } from "node:net";

const QUERY =
  "mutation View($id: ID!, $op: ID!) { trackView(productId: $id, operationId: $op) { product " +
  "{ id } errors { code } } }";
/** A request without an answer by then counts as hung. */
const HANG_MS = 60_000;
/** Connections that are opened together. */
const AT_ONCE = 100;

const figures = {
  sent: 0,
  /** Until the last answer. */
  elapsedMs: 0,
  accepted: 0,
  refused: 0,
  unknown: 0,
  other: 0,
  late: 0,
  latencies: [],
  refusalLatencies: [],
  statuses: {},
};

function requestFor(id) {
  const body = JSON.stringify({ query: QUERY, variables: { id, op: randomUUID() } });
  return (
    "POST /graphql HTTP/1.1\r\nHost: bench\r\nContent-Type: " +
    `application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/** What an answer means, from its status and its body. */
function count(status, body, tookMs) {
  figures.statuses[status] = (figures.statuses[status] ?? 0) + 1;
  if (status === 200 && body.includes('"trackView":{"product":{')) {
    figures.accepted += 1;
    figures.latencies.push(tookMs);
  } else if (body.includes("may have been counted")) figures.unknown += 1;
  else if (body.includes("SERVICE_UNAVAILABLE")) {
    figures.refused += 1;
    figures.refusalLatencies.push(tookMs);
  } else figures.other += 1;
}

/** One keep-alive connection. `ask(request)` resolves when its answer is complete. */
class Connection {
  constructor(port, localAddress) {
    this.place = { port, host: "127.0.0.1", localAddress };
    this.open();
  }

  open() {
    this.text = "";
    this.socket = connect(this.place).setNoDelay(true);
    this.socket.on("data", (chunk) => this.receive(chunk.toString("latin1")));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.done?.(null);
      this.done = null;
      this.isClosed = true;
    });
    this.isClosed = false;
  }

  receive(text) {
    this.text += text;
    const end = this.text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.text.slice(0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.text.length < end + 4 + length) return;
    const body = this.text.slice(end + 4, end + 4 + length);
    this.text = this.text.slice(end + 4 + length);
    const done = this.done;
    this.done = null;
    done?.({ status: Number(head.slice(9, 12)), body });
  }

  ask(request) {
    if (this.isClosed) this.open();
    return new Promise((resolve) => {
      this.done = resolve;
      this.socket.write(request);
    });
  }
}

async function send(connection, id, dueMs) {
  figures.sent += 1;
  const answer = await connection.ask(requestFor(id));
  const tookMs = performance.now() - dueMs;
  if (answer) count(answer.status, answer.body, tookMs);
  else figures.other += 1;
}

async function closedLoad({ connections, endsAt, ids }) {
  await Promise.all(
    connections.map(async (connection, at) => {
      for (let turn = at; performance.now() < endsAt; turn++)
        await send(connection, ids[turn % ids.length], performance.now());
    }),
  );
}

/**
 * Sends what is due every few milliseconds; what finds no free connection is counted as late, and
 * not sent.
 */
async function openLoad({ connections, endsAt, ids, perSecond }) {
  const free = [...connections];
  const pending = new Set();
  const beganAt = performance.now();
  let due = 0;
  while (performance.now() < endsAt) {
    const target = ((performance.now() - beganAt) / 1_000) * perSecond;
    for (; due < target; due++) {
      const connection = free.pop();
      if (!connection) {
        figures.late += 1;
        continue;
      }
      const dueMs = beganAt + (due / perSecond) * 1_000;
      const sending = send(connection, ids[due % ids.length], dueMs).finally(() => {
        pending.delete(sending);
        free.unshift(connection);
      });
      pending.add(sending);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.race([
    Promise.all(pending),
    new Promise((resolve) => setTimeout(resolve, HANG_MS).unref()),
  ]);
  figures.hung = pending.size;
}

/**
 * Connections that have had an answer: libuv accepts one in each turn of its loop, so a busy server
 * would accept them during the load.
 */
async function openSome({ port, addresses }, size) {
  const some = Array.from(
    { length: size },
    (_, at) => new Connection(port, `127.0.1.${1 + (at % addresses)}`),
  );
  await Promise.all(
    some.map((connection) => connection.ask("GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n")),
  );
  return some;
}

process.once("message", async ({ connections: size, perSecond, seconds, ids, ...place }) => {
  const connections = [];
  while (connections.length < size)
    connections.push(...(await openSome(place, Math.min(AT_ONCE, size - connections.length))));
  const beganAt = performance.now();
  const endsAt = beganAt + seconds * 1_000;
  await (perSecond
    ? openLoad({ connections, endsAt, ids, perSecond })
    : closedLoad({ connections, endsAt, ids }));
  figures.elapsedMs = performance.now() - beganAt;
  for (const { socket } of connections) socket.destroy();
  process.send(figures, () => process.disconnect());
});
