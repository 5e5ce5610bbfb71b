/** One WebSocket: its caller, its backpressure and its end. */
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { RawData, WebSocket } from "ws";
import { SECOND } from "../../domain/time/time.js";
import type { Caller } from "../operation/caller.js";

/**
 * Above this, reading pauses; a socket above it for two pings is
 * terminated.
 */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Time for a client to answer a close frame. */
const CLOSE_MS = 5 * SECOND;
/** Longest reason in a close frame; ws throws beyond. */
const MAX_REASON_BYTES = 123;

const NO_HEADERS: Readonly<IncomingHttpHeaders> = {};

/** `connection_init` was accepted: operations may run. */
export type AcknowledgedConnection = Connection & { caller: Caller };

export const isAcknowledged = (connection: Connection): connection is AcknowledgedConnection =>
  connection.caller !== null;

/** Takes what happens on a socket. */
export interface Receiver {
  /** A message or a ping has come. */
  count(): void;
  receive(data: RawData, isBinary: boolean): void;
  /** Either side closes: nothing more is received. */
  ended(): void;
  broke(error: Error): void;
  /** The socket is gone. */
  closed(): void;
}

/** Where the shared handlers of sockets find theirs. */
const CONNECTION = Symbol("connection");
type OwnedSocket = WebSocket & { [CONNECTION]: Connection };

const NO_LISTENERS: readonly never[] = [];
const WRITABLE: Promise<unknown> = Promise.resolve();

/**
 * One connected client. All closes of ours go through
 * {@link Connection.close}. From then on messages are ignored
 * and waiting operations are dropped. Subscriptions end, and no
 * answer is written.
 */
export class Connection {
  /**
   * Null until `connection_init` is accepted; `seen` rises with
   * writes.
   */
  caller: Caller | null = null;
  /** Queries and mutations without an answer yet. */
  runningOperations = 0;
  private lastAnswer = WRITABLE;
  private hasPonged = true;
  private wasFull = false;
  private ended = false;
  private endListeners: readonly ((connection: Connection) => void)[] = NO_LISTENERS;
  private receiver: Receiver | null = null;
  private terminateTimer: NodeJS.Timeout | null = null;

  constructor(
    readonly socket: WebSocket,
    /** Of the upgrade; dropped after `connection_init`. */
    public headers: Readonly<IncomingHttpHeaders>,
    readonly ip: string,
    /** Carries the socket: has its unsent bytes and its `drain`. */
    readonly stream: Duplex,
  ) {
    Object.assign(socket, { [CONNECTION]: this });
    for (const [event, handle] of Object.entries(HANDLERS)) socket.on(event, handle);
  }

  /** From now on the receiver gets what happens. */
  attach(receiver: Receiver): void {
    this.receiver = receiver;
    if (this.ended) receiver.ended();
  }

  /** Whether messages are accepted. */
  get isOpen(): boolean {
    return !this.ended && this.socket.readyState === this.socket.OPEN;
  }

  /** Idempotent. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.socket.close(code, truncateReason(reason));
    this.end();
  }

  /** Calls `ending` when either side closes; at once if closed. */
  onEnd(ending: (connection: Connection) => void): void {
    if (this.ended) ending(this);
    else this.endListeners = [...this.endListeners, ending];
  }

  onMessage(data: RawData, isBinary: boolean): void {
    this.onPing();
    this.receiver?.receive(data, isBinary);
  }

  onPing(): void {
    this.applyBackpressure();
    this.receiver?.count();
  }

  onPong(): void {
    this.hasPonged = true;
  }

  /** ws itself closes on a large or malformed frame. */
  onError(error: Error): void {
    this.end();
    this.receiver?.broke(error);
  }

  onClose(): void {
    if (this.terminateTimer) clearTimeout(this.terminateTimer);
    this.end();
    this.receiver?.closed();
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.receiver?.ended();
    const { endListeners } = this;
    this.endListeners = NO_LISTENERS;
    for (const ending of endListeners) ending(this);
    if (this.socket.readyState === this.socket.CLOSED) return;
    this.terminateTimer = setTimeout(() => this.socket.terminate(), CLOSE_MS).unref();
  }

  /** Accepts the client. */
  acknowledge(caller: Caller): AcknowledgedConnection {
    this.forgetHeaders();
    return Object.assign(this, { caller });
  }

  /** Headers take a tenth of an idle socket's memory. */
  private forgetHeaders(): void {
    this.headers = NO_HEADERS;
  }

  /** A cookie of the upgrade. Ours need no decoding. */
  cookie(name: string): string | undefined {
    return new RegExp(`(?:^|;\\s*)${name}=([\\w.-]+)`).exec(this.headers.cookie ?? "")?.[1];
  }

  /**
   * Called for every message: pauses reading while answers pile
   * up unread. Reading resumes when all of them have left.
   */
  applyBackpressure(): void {
    const { socket } = this;
    if (
      socket.isPaused ||
      socket.readyState !== socket.OPEN ||
      socket.bufferedAmount <= MAX_BUFFERED_BYTES
    )
      return;
    socket.pause();
    // Frames leave in order, so this one leaves last.
    socket.ping(undefined, undefined, () => socket.resume());
  }

  /**
   * Resolves when an answer may be serialised and sent, one at a
   * time. Waiting answers are values, which may share text. So a
   * socket exceeds its bound by one answer.
   */
  whenWritable(): Promise<void> {
    const turn = this.lastAnswer.then(() => this.drained());
    // The answer is written before the event loop turns.
    this.lastAnswer = turn.then(() => nextTurn());
    return turn;
  }

  /**
   * Resolves when the buffer is below its bound, or the socket
   * closed.
   */
  private async drained(): Promise<void> {
    const { socket } = this;
    while (socket.readyState === socket.OPEN && socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      // Frames leave in order, so this one leaves last.
      await new Promise<void>((resolve) => socket.ping(undefined, undefined, () => resolve()));
    }
  }

  /**
   * Called periodically: terminates a socket without a pong, or
   * full twice in a row; pings the others.
   */
  ping(): void {
    const full = this.socket.bufferedAmount > MAX_BUFFERED_BYTES;
    if (!this.hasPonged || (full && this.wasFull)) {
      this.socket.terminate();
      return;
    }
    this.wasFull = full;
    this.hasPonged = false;
    if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
  }
}

const connectionOf = (socket: WebSocket): Connection => (socket as OwnedSocket)[CONNECTION];

/**
 * One function each for all sockets: an idle socket holds no
 * closures.
 */
const HANDLERS = {
  message(this: WebSocket, data: RawData, isBinary: boolean): void {
    connectionOf(this).onMessage(data, isBinary);
  },
  ping(this: WebSocket): void {
    connectionOf(this).onPing();
  },
  pong(this: WebSocket): void {
    connectionOf(this).onPong();
  },
  error(this: WebSocket, error: Error): void {
    connectionOf(this).onError(error);
  },
  close(this: WebSocket): void {
    connectionOf(this).onClose();
  },
};

/**
 * The part of a reason that fits a close frame, in whole
 * characters.
 */
function truncateReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  // Bytes that begin with 10 continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
