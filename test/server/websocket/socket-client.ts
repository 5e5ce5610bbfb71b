/** A WebSocket as a client sees it: frames in order, and the close. */
import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";
import type { Answer } from "../test-server.js";

/** A message of the protocol. */
export interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** One end of a socket. */
export interface SocketClient {
  readonly socket: WebSocket;
  send(message: object | string | Buffer): void;
  /** The next message. Rejects with the close when none comes any more. */
  next(): Promise<Message>;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Sends an operation and collects all of its messages up to `complete` or `error`. */
  run(payload: object): Promise<Message[]>;
  close(): Promise<void>;
}

/** Opens a socket without the init handshake. */
export async function openSocket(
  url: string,
  options: ClientOptions & { protocols?: string[] } = {},
): Promise<SocketClient> {
  const { protocols = ["graphql-transport-ws"], ...rest } = options;
  const socket = new WebSocket(url, protocols, rest);
  const inbox: Message[] = [];
  const waiting: { resolve(message: Message): void; reject(error: Error): void }[] = [];
  let over: { code: number; reason: string } | null = null;
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as Message;
    const first = waiting.shift();
    if (first) first.resolve(message);
    else inbox.push(message);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => {
      over = { code, reason: String(reason) };
      for (const { reject } of waiting.splice(0)) reject(new Error(`closed with ${code}`));
      resolve(over);
    });
  });
  await once(socket, "open");
  const next = (): Promise<Message> => {
    const first = inbox.shift();
    if (first) return Promise.resolve(first);
    if (over) return Promise.reject(new Error(`closed with ${over.code}`));
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const send = (message: object | string | Buffer) =>
    socket.send(
      typeof message === "object" && !Buffer.isBuffer(message) ? JSON.stringify(message) : message,
    );
  let operations = 0;
  return {
    socket,
    send,
    next,
    closed,
    async run(payload) {
      const id = `run-${++operations}`;
      send({ id, type: "subscribe", payload });
      const messages: Message[] = [];
      for (;;) {
        const message = await next();
        if (message.id !== id) continue;
        messages.push(message);
        if (message.type === "complete" || message.type === "error") return messages;
      }
    },
    async close() {
      socket.close();
      await closed;
    },
  };
}

/** Opens a socket and completes the init handshake. */
export async function connectSocket(
  url: string,
  init: object = {},
  options: ClientOptions = {},
): Promise<SocketClient> {
  const client = await openSocket(url, options);
  client.send({ type: "connection_init", payload: init });
  await client.next();
  return client;
}

/** The answer of a query or mutation over a socket, in the shape HTTP gives it. */
export async function ask(client: SocketClient, payload: object): Promise<Answer> {
  const [first] = await client.run(payload);
  return first?.type === "error"
    ? { errors: first.payload as NonNullable<Answer["errors"]> }
    : (first?.payload as Answer);
}
