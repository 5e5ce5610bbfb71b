/** One WebSocket: who is behind it, and whether it still keeps up. */
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { WebSocket } from "ws";
import { SECOND } from "../../domain/time/time.js";
import type { Caller } from "../operation/context.js";

/**
 * With more than this unsent a client is not read from; if it stays so for two beats, it is too
 * slow to be worth the memory.
 */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** A client has this long to read the close code and to answer it; then its connection is cut. */
const CLOSE_MS = 5 * SECOND;
/** A close frame has room for so many bytes of a reason; ws throws beyond. */
const MAX_REASON_BYTES = 123;

const NO_HEADERS: Readonly<IncomingHttpHeaders> = {};

/** A client whose `connection_init` was accepted. Operations run for these only. */
export type AcknowledgedConnection = Connection & { caller: Caller };

/** Whether a client may run operations. */
export const isAcknowledged = (connection: Connection): connection is AcknowledgedConnection =>
  connection.caller !== null;

/**
 * One connected client. Every close of ours goes through {@link Connection.close}: from then on no
 * message is taken, operations that wait are dropped, subscriptions end, and no answer is written.
 */
export class Connection {
  /** Null until `connection_init` is accepted; its `seen` rises with what the socket writes. */
  caller: Caller | null = null;
  /** Queries and mutations between their message and their answer. */
  runningOperations = 0;
  private lastAnswer: Promise<unknown> = Promise.resolve();
  private hasPonged = true;
  private wasFull = false;
  private ended = false;
  private readonly endListeners: (() => void)[] = [];

  constructor(
    readonly socket: WebSocket,
    /** Of the upgrade; forgotten once they have said who it is. */
    public headers: Readonly<IncomingHttpHeaders>,
    readonly ip: string,
    /** What carries the socket: it tells how much has not left yet, and when it has. */
    readonly stream: Duplex,
  ) {
    socket.on("pong", () => {
      this.hasPonged = true;
    });
    // ws closes a socket itself, with the right code, when a frame is too large or malformed.
    socket.once("error", () => this.end());
    socket.once("close", () => this.end());
  }

  /** Whether messages are taken. */
  get isOpen(): boolean {
    return !this.ended && this.socket.readyState === this.socket.OPEN;
  }

  /** Closes the socket, unless it is closed already. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.socket.close(code, cut(reason));
    this.end();
  }

  /** Has `ending` called when the socket is closed, by whichever side; at once if it is. */
  onEnd(ending: () => void): void {
    if (this.ended) ending();
    else this.endListeners.push(ending);
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const ending of this.endListeners.splice(0)) ending();
    if (this.socket.readyState === this.socket.CLOSED) return;
    const timer = setTimeout(() => this.socket.terminate(), CLOSE_MS).unref();
    this.socket.once("close", () => clearTimeout(timer));
  }

  /** The client is let in. */
  acknowledge(caller: Caller): AcknowledgedConnection {
    this.forgetHeaders();
    return Object.assign(this, { caller });
  }

  /** Nobody asks for the headers any more: they take a tenth of an idle socket's memory. */
  private forgetHeaders(): void {
    this.headers = NO_HEADERS;
  }

  /** A cookie of the upgrade. Ours need no decoding: their values are plain words. */
  cookie(name: string): string | undefined {
    return new RegExp(`(?:^|;\\s*)${name}=([\\w.-]+)`).exec(this.headers.cookie ?? "")?.[1];
  }

  /**
   * Called for every message: stops reading from a client that does not read, or the answers to
   * what it sends would pile up here. Reading goes on when all of them have left.
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
   * Resolves when an answer may be serialised and sent, one after the other: what waits is values,
   * of which several answers share the text. A socket holds the bytes of one answer beyond its
   * bound.
   */
  whenWritable(): Promise<void> {
    const mine = this.lastAnswer.then(() => this.drained());
    // The answer is written before the event loop turns.
    this.lastAnswer = mine.then(() => nextTurn());
    return mine;
  }

  /** Resolves when no more is unsent than a socket may hold, or when it is closed. */
  private async drained(): Promise<void> {
    const { socket } = this;
    while (socket.readyState === socket.OPEN && socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      // Frames leave in order, so this one leaves last.
      await new Promise<void>((resolve) => socket.ping(undefined, undefined, () => resolve()));
    }
  }

  /**
   * Called at every beat: terminates a socket that is dead (no pong since the last beat) or full
   * for two beats, pings the others.
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

/** As much of a reason as a close frame holds, in whole characters. */
function cut(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  // Bytes that begin with 10 continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
