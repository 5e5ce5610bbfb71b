/**
 * Many subscribers in a process of their own, told what to do over IPC: `connect`, `begin`, `end`.
 * They only look for the mark in each message, so that the load is the server's and not theirs;
 * every tenth socket notes when it received what.
 */
import WebSocket from "ws";

const AT_ONCE = 100;
const SAMPLED = 10;
const TRY_AGAIN_LATER = 1013;
const MARK = Buffer.from('"score":');
const sockets = [];
let received = newCounts();
let closed = 0;

function newCounts() {
  return { messages: 0, bytes: 0, wentBack: 0, samples: [] };
}

/** The number after the first mark, the highest score; null in messages that carry none. */
function markOf(data) {
  let at = data.indexOf(MARK);
  if (at < 0) return null;
  let value = 0;
  for (at += MARK.length; data[at] >= 48 && data[at] <= 57; at += 1)
    value = 10 * value + data[at] - 48;
  return value;
}

const now = () => performance.timeOrigin + performance.now();

function receive(state, data) {
  const mark = markOf(data);
  if (mark === null) return;
  received.messages += 1;
  received.bytes += data.length;
  if (mark < state.last) received.wentBack += 1;
  state.last = mark;
  if (state.sampled) received.samples.push([mark, now()]);
  state.first?.();
  state.first = null;
}

/**
 * Opens a socket; resolves with its first value, or once it is open where nothing is sent at the
 * start.
 */
function open(options, at) {
  const { url, protocol, init, subscribe, firstValue } = options;
  // What clients of graphql-ws do when they are told to come again.
  const again = () =>
    new Promise((resolve) => setTimeout(resolve, 1_000)).then(() => open(options, at));
  return new Promise((resolve, reject) => {
    const state = { last: -1, sampled: at % SAMPLED === 0, first: resolve };
    const socket = new WebSocket(url, protocol ?? [], {
      skipUTF8Validation: true,
      perMessageDeflate: false,
    });
    const entry = { socket, state };
    sockets.push(entry);
    socket.on("open", () => {
      if (protocol)
        socket.send(
          JSON.stringify({ type: "connection_init", payload: init?.[at % init.length] ?? {} }),
        );
      else if (!firstValue) resolve();
    });
    let acknowledged = !protocol;
    socket.on("message", (data) => {
      if (acknowledged) return receive(state, data);
      acknowledged = true;
      socket.send(
        JSON.stringify({
          id: `subscription-of-socket-${at}-0123456789`,
          type: "subscribe",
          payload: subscribe,
        }),
      );
      if (!firstValue) resolve();
    });
    socket.on("error", reject);
    socket.on("close", (code, reason) => {
      if (code === TRY_AGAIN_LATER && acknowledged === false) {
        sockets.splice(sockets.indexOf(entry), 1);
        return resolve(again());
      }
      closed += 1;
      reject(new Error(`closed with ${code} ${reason}`));
    });
  });
}

async function connect({ count, spreadMs = 0, ...options }) {
  const began = performance.now();
  let next = 0;
  const delays = [];
  const one = async () => {
    while (next < count) {
      const at = next;
      next += 1;
      const from = performance.now();
      await open(options, at);
      delays.push(performance.now() - from);
    }
  };
  if (spreadMs === 0) await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, one));
  else {
    await Promise.all(
      Array.from({ length: count }, async (_, at) => {
        await new Promise((resolve) => setTimeout(resolve, (spreadMs * at) / count));
        const from = performance.now();
        await open(options, at);
        delays.push(performance.now() - from);
      }),
    );
  }
  delays.sort((a, b) => a - b);
  return {
    ms: performance.now() - began,
    p50: delays[Math.floor(0.5 * count)],
    p99: delays[Math.floor(0.99 * count)],
  };
}

/** Counts so far; latencies by when each mark was sent. */
function results(sentAt) {
  const latencies = received.samples
    .filter(([mark]) => sentAt[mark] !== undefined)
    .map(([mark, at]) => at - sentAt[mark]);
  latencies.sort((a, b) => a - b);
  const { samples: _, ...counts } = received;
  const lasts = sockets.map(({ state }) => state.last);
  return {
    ...counts,
    closed,
    latencies: latencies.filter((_each, at) => at % 10 === 0),
    lowest: Math.min(...lasts),
    highest: Math.max(...lasts),
  };
}

const answers = {
  connect,
  begin() {
    received = newCounts();
  },
  end: ({ sentAt }) => results(sentAt),
  async leave() {
    for (const { socket } of sockets.splice(0)) socket.removeAllListeners("close").terminate();
  },
};

process.on("message", async ({ act, ...options }) => {
  try {
    process.send({ ok: (await answers[act](options)) ?? {} });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});
