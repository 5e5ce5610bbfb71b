/** What a socket that does not keep up costs: little, and only itself. */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Connection } from "../../../src/server/connection/connection.js";
import { framePayload, framePrefix } from "../../../src/server/fan-out/frame.js";
import { SocketWriter } from "../../../src/server/fan-out/socket-writer.js";
import { until } from "../../support/until.js";
import { startServer } from "../test-server.js";
import { connectSocket, type Message, type SocketClient } from "../websocket/socket-client.js";
import { type BoardServer, startBoards } from "./leaderboard-server.js";

const UNSENT_BYTES = 64 * 1024;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Two ends of a real socket. */
async function pair(slowMs: number) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[WebSocket, { socket: Socket }]>;
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(client, "open");
  const [socket, { socket: stream }] = await accepted;
  closing.push(() => {
    client.terminate();
    server.close();
  });
  return {
    client,
    socket,
    stream,
    writer: new SocketWriter(new Connection(socket, {}, "", stream), slowMs),
  };
}

const PREFIX = framePrefix("1");
const PAYLOAD = framePayload(`"${"x".repeat(8 * 1024)}"`);

function fill(writer: SocketWriter): void {
  while (!writer.isFull) writer.write(PREFIX, PAYLOAD);
}

describe("a socket writer", () => {
  test("It exceeds its bound by one frame at most, and tells when all of it is out.", async () => {
    const { client, stream, writer } = await pair(60_000);
    client.pause();
    fill(writer);
    expect(stream.writableLength).toBeGreaterThan(UNSENT_BYTES);
    expect(stream.writableLength).toBeLessThan(UNSENT_BYTES + PAYLOAD.length + 100);
    const flushed = new Promise<void>((resolve) => writer.enqueue({ flush: resolve }));
    client.resume();
    await flushed;
    expect(writer.isFull).toBe(false);
    expect(stream.writableLength).toBe(0);
  });

  test("Frames of any length are written whole, between those of ws.", async () => {
    const { client, socket, stream, writer } = await pair(60_000);
    const received: string[] = [];
    client.on("message", (data, isBinary) => received.push(isBinary ? "binary" : String(data)));
    const lengths = [
      1, 88, 89, 90, 91, 92, 200, 4_090, 4_097, 65_498, 65_499, 65_500, 65_502, 200_000,
    ];
    const payloads = lengths.map((length) => JSON.stringify("ü".padEnd(length, "z")));
    for (const payload of payloads) {
      socket.send("ws");
      if (writer.isFull) await once(stream, "drain");
      writer.write(PREFIX, framePayload(payload));
      socket.ping();
    }
    await until("all to be there", () => received.length === 2 * lengths.length);
    expect(received.filter((text) => text !== "ws")).toEqual(
      payloads.map((payload) => `{"id":"1","type":"next","payload":${payload}}`),
    );
  });

  test("A socket has room for a bounded number of waiting frames.", async () => {
    const { writer } = await pair(60_000);
    const frames = [1, 2, 3].map(() => Buffer.alloc(30_000));
    expect(frames.map((frame) => writer.reserve(frame))).toEqual([true, true, false]);
    writer.release(frames[0]!);
    expect(writer.reserve(frames[2]!)).toBe(true);
  });

  test("A socket that stays full is closed with a code for reconnection.", async () => {
    const { client, socket, writer } = await pair(100);
    client.pause();
    fill(writer);
    await until("it to be closed", () => socket.readyState === socket.CLOSING);
    const closed = once(client, "close");
    client.resume();
    expect((await closed)[0]).toBe(1013);
  });

  test("A socket that does not take the close code is cut.", async () => {
    const { client, stream, writer } = await pair(100);
    client.pause();
    fill(writer);
    await until("it to be cut", () => stream.destroyed);
  });

  test("A closing socket gets no more frames.", async () => {
    const { client, socket, writer } = await pair(60_000);
    const received: string[] = [];
    client.on("message", (data) => received.push(String(data)));
    writer.write(PREFIX, framePayload("1"));
    socket.close();
    writer.write(PREFIX, framePayload("2"));
    await once(client, "close");
    expect(received).toEqual(['{"id":"1","type":"next","payload":1}']);
  });
});

describe("a subscriber that stops reading", () => {
  const FILLER = 40_000;
  /** More than the system buffers on loopback. */
  const VERSIONS = 400;
  const WATCH =
    "subscription Watch($slugs: [String!]!, $filler: Int) { board(slugs: $slugs, filler: " +
    "$filler) { slug version filler } }";

  async function start(
    env: Record<string, string> = {},
  ): Promise<BoardServer & { readonly connections: Socket[] }> {
    const server = await startBoards(env);
    closing.push(() => server.close());
    const connections: Socket[] = [];
    server.server.app.server.on("upgrade", (_request, connection: Socket) =>
      connections.push(connection),
    );
    return { ...server, connections };
  }

  async function watch(server: BoardServer, slugs: readonly string[]) {
    const client = await connectSocket(server.live);
    closing.push(() => client.socket.terminate());
    client.send({
      id: "x",
      type: "subscribe",
      payload: { query: WATCH, variables: { slugs, filler: FILLER } },
    });
    for (const _ of slugs) await client.next();
    return client;
  }

  const boardOf = ({ payload }: Message) =>
    (payload as { data: { board: { slug: string; version: number } } }).data.board;

  /** Publishes versions one after the other, each awaited by a client that reads. */
  async function publishAll(
    server: BoardServer,
    slugs: readonly string[],
    reader: SocketClient,
  ): Promise<void> {
    for (let version = 1; version <= VERSIONS; version++) {
      const slug = slugs[version % slugs.length]!;
      server.boards.publish(slug, version);
      expect(boardOf(await reader.next())).toMatchObject({ slug, version });
    }
  }

  test("It delays nobody, costs a bounded buffer, and reads only newer values later.", async () => {
    const server = await start();
    const slugs = ["a", "b", "c"];
    const [reader, sleeper] = [await watch(server, slugs), await watch(server, slugs)];
    sleeper.socket.pause();
    await publishAll(server, slugs, reader);
    expect(server.connections[1]!.writableLength).toBeLessThan(UNSENT_BYTES + 1.1 * FILLER);
    sleeper.socket.resume();
    const last = new Map(slugs.map((slug) => [slug, 0]));
    let messages = 0;
    const newest = slugs.map((slug) => [
      slug,
      Math.max(
        ...Array.from({ length: VERSIONS }, (_, at) => (slugs[(at + 1) % 3] === slug ? at + 1 : 0)),
      ),
    ]);
    while (newest.some(([slug, version]) => last.get(String(slug)) !== version)) {
      const { slug, version } = boardOf(await sleeper.next());
      expect(version).toBeGreaterThan(last.get(slug)!);
      last.set(slug, version);
      messages += 1;
    }
    expect(messages).toBeLessThan(VERSIONS);
  });

  test("A socket that stops reading is closed, with its subscriptions.", async () => {
    const server = await start({ SLOW_SOCKET_MS: "2000" });
    const [reader, sleeper] = [await watch(server, ["a"]), await watch(server, ["a"])];
    sleeper.socket.pause();
    await publishAll(server, ["a"], reader);
    await until("it to be cut", () => server.connections[1]!.destroyed);
    await until(
      "its subscription to end",
      async () => (await server.metric("souk_subscriptions")) === 1,
    );
  });

  test("A slow subscriber gets `complete` after the last value of an ended source.", async () => {
    const server = await start();
    const [reader, sleeper] = [await watch(server, ["a"]), await watch(server, ["a"])];
    sleeper.socket.pause();
    await publishAll(server, ["a"], reader);
    server.boards.end();
    expect(await reader.next()).toMatchObject({ type: "complete" });
    sleeper.socket.resume();
    let [before, message] = [0, await sleeper.next()];
    while (message.type === "next")
      [before, message] = [boardOf(message).version, await sleeper.next()];
    expect(message.type).toBe("complete");
    expect(before).toBe(VERSIONS);
  });
});

describe("a log whose client stops reading", () => {
  const EVENTS = 12_000;
  const LONG = Array.from({ length: 12 }, (_, at) => `${"n".repeat(120)}${at}: number`).join(" ");

  test("It takes the next event only when the last has left, and misses none.", async () => {
    const server = await startServer({ LIMIT_TOKENS: "1000" });
    closing.push(() => server.close());
    const connections: Socket[] = [];
    server.server.app.server.on("upgrade", (_request, connection: Socket) =>
      connections.push(connection),
    );
    const client = await connectSocket(server.live);
    closing.push(() => client.socket.terminate());
    const sent = async () =>
      Number(/^souk_messages_total (\d+)$/m.exec((await server.metrics.render()).text)?.[1]);
    client.send({
      id: "x",
      type: "subscribe",
      payload: { query: `subscription { ticks(times: ${EVENTS}) { number ${LONG} } }` },
    });
    await client.next();
    client.socket.pause();
    let before = -1;
    const standsStill = async () => {
      const now = await sent();
      const still = now === before && connections[0]!.writableLength > 0;
      before = now;
      return still;
    };
    await until("the source to wait", standsStill);
    expect(before).toBeLessThan(EVENTS);
    expect(connections[0]!.writableLength).toBeLessThan(2 * LONG.length);
    client.socket.resume();
    for (let number = 2; number <= EVENTS; number++) {
      expect((await client.next()).payload).toMatchObject({ data: { ticks: { number } } });
    }
    expect(await client.next()).toEqual({ id: "x", type: "complete" });
  });
});
