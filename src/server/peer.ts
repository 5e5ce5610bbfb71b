/** One WebSocket: who is behind it, and whether it still keeps up. */
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { WebSocket } from "ws";
import type { GuestPass } from "../domain/guest.js";
import { ANONYMOUS } from "../domain/principal.js";
import { NOTHING_SEEN } from "../domain/seen.js";
import type { Caller } from "./context.js";

/** With more than this unsent a client is not read from; if it stays so for two beats, it is too slow to be worth the memory. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** No operation runs before `connection_init`, so nobody is made a guest by it. */
const NO_GUEST: GuestPass = {
  id: null,
  issued: null,
  ensure() {
    throw new Error("a socket has no guest before it is welcomed");
  },
};

const NO_HEADERS: Readonly<IncomingHttpHeaders> = {};

/** One connected client. */
export class Peer {
  /** Anonymous until `connection_init` says otherwise; its `seen` rises with what the socket writes. */
  caller: Caller = {
    principal: ANONYMOUS,
    client: { device: "", ip: "", takesCookies: false, showsCookie: false },
    guest: NO_GUEST,
    seen: NOTHING_SEEN,
    bypass: false,
    reportCache: false,
  };
  /** Queries and mutations being executed. */
  running = 0;
  private lastAnswer: Promise<unknown> = Promise.resolve();
  private answeredPing = true;
  private wasFull = false;

  constructor(
    readonly socket: WebSocket,
    /** Of the upgrade; forgotten once they have said who it is. */
    public headers: Readonly<IncomingHttpHeaders>,
    readonly ip: string,
    /** What carries the socket: it tells how much has not left yet, and when it has. */
    readonly connection: Duplex,
  ) {
    socket.on("pong", () => {
      this.answeredPing = true;
    });
  }

  /** Nobody asks for the headers any more: they take a tenth of an idle socket's memory. */
  forgetHeaders(): void {
    this.headers = NO_HEADERS;
  }

  /** A cookie of the upgrade. Ours need no decoding: their values are plain words. */
  cookie(name: string): string | undefined {
    return new RegExp(`(?:^|;\\s*)${name}=([\\w.-]+)`).exec(this.headers.cookie ?? "")?.[1];
  }

  /**
   * Called for every message: stops reading from a client that does not read, or the answers to what it sends would pile up here.
   * Reading goes on when all of them have left.
   */
  holdBack(): void {
    const { socket } = this;
    if (socket.isPaused || socket.readyState !== socket.OPEN || socket.bufferedAmount <= MAX_BUFFERED_BYTES) return;
    socket.pause();
    // Frames leave in order, so this one leaves last.
    socket.ping(undefined, undefined, () => socket.resume());
  }

  /**
   * Resolves when an answer may be serialised and sent, one after the other: what waits is values,
   * of which several answers share the text. A socket holds the bytes of one answer beyond its bound.
   */
  turn(): Promise<void> {
    const mine = this.lastAnswer.then(() => this.room());
    // The answer is written before the event loop turns.
    this.lastAnswer = mine.then(() => nextTurn());
    return mine;
  }

  /** Resolves when no more is unsent than a socket may hold, or when it is closed. */
  private async room(): Promise<void> {
    const { socket } = this;
    while (socket.readyState === socket.OPEN && socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      // Frames leave in order, so this one leaves last.
      await new Promise<void>((resolve) => socket.ping(undefined, undefined, () => resolve()));
    }
  }

  /** Called at every beat: terminates a socket that is dead (no pong since the last beat) or full for two beats, pings the others. */
  beat(): void {
    const full = this.socket.bufferedAmount > MAX_BUFFERED_BYTES;
    if (!this.answeredPing || (full && this.wasFull)) {
      this.socket.terminate();
      return;
    }
    this.wasFull = full;
    this.answeredPing = false;
    if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
  }
}
