/**
 * One socket between ws and graphql-ws: its messages, before
 * graphql-ws reads them, and its answers.
 *
 * Idle sockets are many, so one holds little: its state is here,
 * and its functions are methods, which sockets share. Nothing of a
 * message is kept once graphql-ws has it.
 */
import { CloseCode, type WebSocket as GraphQLSocket, type Server } from "graphql-ws";
import type { Logger } from "pino";
import type { RawData } from "ws";
import { SECOND } from "../../domain/time/time.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import { type Connection, isAcknowledged, type Receiver } from "../connection/connection.js";
import { chargeMessage, payerOf } from "../operation/admission.js";
import { isDeeperThan } from "../operation/text-input.js";
import type { SocketExtra } from "./execution.js";
import { readMessage } from "./message.js";

/** What the sockets of a server share. */
export interface ProtocolDeps {
  readonly protocol: Server<SocketExtra>;
  readonly admission: Admission;
  readonly jsonDepth: number;
  readonly messagesPerSecond: number;
  /** Longest wait for `connection_init`. */
  readonly initMs: number;
  readonly log: Logger;
  /** A socket has closed. */
  closed(connection: Connection): void;
}

const POLICY_VIOLATION = 1008;
const NO_STATUS = 1005;
/** A client that reconnects sends all its subscriptions at once. */
const BURST_SECONDS = 2;

/** Attaches graphql-ws to a connection. */
export function attachProtocol(connection: Connection, deps: ProtocolDeps): void {
  connection.attach(new ProtocolSocket(connection, deps));
}

class ProtocolSocket implements GraphQLSocket, Receiver, SocketExtra {
  private handle: ((text: string) => Promise<void>) | null = null;
  private readonly end: (code: number, reason: string) => Promise<void>;
  private initTimer: NodeJS.Timeout | null = null;
  /** Messages above the rate, and when they were counted. */
  private level = 0;
  private countedAtMs = performance.now();

  constructor(
    readonly connection: Connection,
    private readonly deps: ProtocolDeps,
  ) {
    this.end = deps.protocol.opened(this, this);
    // graphql-ws would keep its own timer as long as the socket.
    if (connection.isOpen) this.initTimer = setTimeout(closeLate, deps.initMs, this);
  }

  get protocol(): string {
    return this.connection.socket.protocol;
  }

  /**
   * Resolves once the frame has left, so a slow client slows itself
   * only.
   */
  send(text: string): Promise<void> {
    const { socket } = this.connection;
    return new Promise((resolve) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      // A failed send needs nothing: the close event ends the
      // operations.
      socket.send(text, () => resolve());
    });
  }

  close(code: number = CloseCode.InternalServerError, reason = ""): void {
    this.connection.close(code, reason);
  }

  onMessage(handle: (text: string) => Promise<void>): void {
    this.handle = handle;
  }

  initReceived(): void {
    if (this.initTimer) clearTimeout(this.initTimer);
    this.initTimer = null;
  }

  count(): void {
    const { messagesPerSecond } = this.deps;
    const now = performance.now();
    const left = this.level - ((now - this.countedAtMs) * messagesPerSecond) / SECOND;
    this.level = Math.max(0, left) + 1;
    this.countedAtMs = now;
    if (this.level > BURST_SECONDS * messagesPerSecond)
      this.connection.close(POLICY_VIOLATION, "Too many messages");
  }

  receive(data: RawData, isBinary: boolean): void {
    const { connection, handle } = this;
    const { admission, jsonDepth } = this.deps;
    // Messages of one packet still arrive after a close.
    if (!handle || !connection.isOpen) return;
    if (isBinary) {
      this.close(CloseCode.BadRequest, "Binary frames are not understood");
      return;
    }
    const text = String(data);
    // Before `connection_init` only the address is known.
    const payer = isAcknowledged(connection)
      ? payerOf(admission, connection)
      : admission.payerOf({ kind: "none", ip: connection.ip, mustBeValid: false });
    chargeMessage(admission, payer, text.length);
    if (isDeeperThan(text, jsonDepth))
      this.close(CloseCode.BadRequest, "Message is nested too deeply");
    // Typed as text; graphql-ws accepts a parsed message as well.
    else this.watch(handle(readMessage(text) as string));
  }

  /**
   * Not awaited in `receive`: it lasts as long as a subscription,
   * and would keep the message.
   */
  private watch(handled: Promise<void>): void {
    handled.catch((err: unknown) => this.failed(err));
  }

  private failed(err: unknown): void {
    // graphql-ws throws for messages that only servers send.
    if (err instanceof Error && err.message.startsWith("Unexpected message"))
      this.close(CloseCode.BadRequest, "Unexpected message");
    else {
      this.deps.log.error({ err }, "a message failed outside its operation");
      this.close(CloseCode.InternalServerError, "Internal server error");
    }
  }

  broke(err: Error): void {
    this.deps.log.debug({ err }, "a socket broke");
  }

  ended(): void {
    const { log } = this.deps;
    this.initReceived();
    // graphql-ws needs a code, which nothing reads.
    this.end(NO_STATUS, "").catch((err: unknown) =>
      log.error({ err }, "a socket's subscriptions did not end"),
    );
  }

  closed(): void {
    this.deps.closed(this.connection);
  }
}

const closeLate = (socket: ProtocolSocket): void =>
  socket.close(CloseCode.ConnectionInitialisationTimeout, "Connection initialisation timeout");
