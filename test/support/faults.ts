/**
 * A network that fails on command: a TCP proxy on loopback in front of a real server.
 *
 * A black hole reads nothing and closes nothing, as a dropped route does: both sides see an open
 * connection. Bytes wait in the kernel's buffers meanwhile, so nothing grows here; delayed bytes
 * are bounded per connection.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** A proxy and its faults. Faults hold for present and future connections until `restore`. */
export interface FaultyProxy {
  readonly host: string;
  readonly port: number;
  /** Open connections of clients. */
  connections(): number;
  /** Connections accepted so far. */
  accepted(): number;
  /** Destroys every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts and connects, but passes nothing on, in either direction, with no error to see. */
  blackHole(): void;
  /** Passes everything on `ms` later, in order. */
  delay(ms: number): void;
  /** Destroys every connection; new ones are accepted as before, and faults go on. */
  hangUp(): void;
  /**
   * Swallows replies of the server: the next `n` chunks, or those of which `drop` says so.
   * `dropped` resolves with the first.
   */
  dropReplies(drop: number | ((chunk: Buffer) => boolean)): { readonly dropped: Promise<void> };
  /** Ends every fault. What a black hole held is passed on now. */
  restore(): Promise<void>;
  /** Destroys every connection and stops listening for good. */
  close(): Promise<void>;
}

/** Where the real server is. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/** A sender that is this far ahead of the delay is not read from until it has drained. */
const MAX_DELAYED_BYTES = 4 * 1024 * 1024;

/** Starts a proxy on a free port of loopback. */
export async function createProxy({ target }: { target: ProxyTarget }): Promise<FaultyProxy> {
  const proxy = new TcpProxy(target);
  await proxy.listen();
  return proxy;
}

class TcpProxy implements FaultyProxy {
  readonly host = "127.0.0.1";
  port = 0;
  private server: Server | null = null;
  private readonly pairs = new Set<Pair>();
  private readonly faults: Faults = { black: false, delayMs: 0, drop: null };
  private count = 0;

  constructor(private readonly target: ProxyTarget) {}

  async listen(): Promise<void> {
    const server = createServer((client) => this.accept(client));
    await new Promise<void>((resolve, reject) =>
      server.once("error", reject).listen(this.port, this.host, resolve),
    );
    const address = server.address();
    if (address && typeof address === "object") this.port = address.port;
    this.server = server;
  }

  connections = (): number => this.pairs.size;
  accepted = (): number => this.count;

  async cut(): Promise<void> {
    const { server } = this;
    this.server = null;
    const closed = new Promise<void>((resolve) =>
      server ? server.close(() => resolve()) : resolve(),
    );
    this.hangUp();
    await closed;
  }

  hangUp(): void {
    for (const pair of this.pairs) pair.destroy();
  }

  blackHole(): void {
    this.faults.black = true;
    for (const pair of this.pairs) pair.apply();
  }

  delay(ms: number): void {
    this.faults.delayMs = ms;
  }

  dropReplies(drop: number | ((chunk: Buffer) => boolean)): { readonly dropped: Promise<void> } {
    let left = typeof drop === "number" ? drop : 0;
    const matches = typeof drop === "number" ? () => left-- > 0 : drop;
    const dropped = new Promise<void>((resolve) => {
      this.faults.drop = (chunk) => {
        const gone = matches(chunk);
        if (gone) resolve();
        return gone;
      };
    });
    return { dropped };
  }

  async restore(): Promise<void> {
    Object.assign(this.faults, { black: false, delayMs: 0, drop: null });
    for (const pair of this.pairs) pair.apply();
    if (!this.server) await this.listen();
  }

  close(): Promise<void> {
    return this.cut();
  }

  private accept(client: Socket): void {
    this.count += 1;
    const pair = new Pair(client, connect(this.target), this.faults, () => this.pairs.delete(pair));
    this.pairs.add(pair);
    pair.apply();
  }
}

interface Faults {
  black: boolean;
  delayMs: number;
  drop: ((chunk: Buffer) => boolean) | null;
}

/** One client and its connection to the server. */
class Pair {
  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly faults: Faults,
    private readonly onEnd: () => void,
  ) {
    this.pass(client, server, () => false);
    this.pass(server, client, (chunk) => faults.drop?.(chunk) ?? false);
  }

  /** Reads on, or not. */
  apply(): void {
    for (const socket of [this.client, this.server]) {
      if (this.faults.black) socket.pause();
      else socket.resume();
    }
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
    this.onEnd();
  }

  private pass(from: Socket, to: Socket, drop: (chunk: Buffer) => boolean): void {
    let delayedBytes = 0;
    let order = Promise.resolve();
    const flow = (): void => void (this.faults.black || from.resume());
    const send = (chunk: Buffer): void => {
      if (to.writable && !to.write(chunk)) from.pause();
    };
    const sendLater = (chunk: Buffer): void => {
      const dueMs = performance.now() + this.faults.delayMs;
      delayedBytes += chunk.length;
      if (delayedBytes >= MAX_DELAYED_BYTES) from.pause();
      order = order
        .then(() => until(dueMs))
        .then(() => {
          delayedBytes -= chunk.length;
          if (delayedBytes === 0) flow();
          send(chunk);
        });
    };
    from.setNoDelay(true);
    from.on("error", () => this.destroy()).on("close", () => this.destroy());
    to.on("drain", flow);
    from.on("data", (chunk: Buffer) => {
      if (drop(chunk)) return;
      if (this.faults.delayMs > 0 || delayedBytes > 0) sendLater(chunk);
      else send(chunk);
    });
  }
}

const until = (dueMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
