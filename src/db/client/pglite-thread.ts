/**
 * The process's side of the embedded database: starts its
 * thread, and joins requests and answers by number.
 *
 * A thread that ends by itself fails all calls, those under
 * way and later ones. The outcome of a statement under way is
 * then unknown. PGlite recovers on the next start.
 */
import { Worker } from "node:worker_threads";
import { DatabaseUnavailable } from "../../domain/errors.js";
import type {
  PgliteAnswer,
  PgliteFailure,
  PgliteMessage,
  PgliteRequest,
  PgliteResult,
  PgliteTask,
} from "./pglite-worker.js";

const THREAD_FILE = new URL("./pglite-worker.js", import.meta.url);

export interface PgliteThread {
  /** Requests are done in their order. */
  call(task: PgliteTask): Promise<PgliteResult>;
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  /** Closes the database after the calls before, and ends the thread. */
  close(): Promise<void>;
}

export interface PgliteThreadOptions {
  readonly dataDir: string;
  /** Called once, when an open database ends by itself. */
  readonly onDeath: (cause: Error) => void;
  /** Default: the thread of this folder. */
  readonly file?: URL;
}

/** Rejects with PGlite's error when the folder cannot be opened. */
export async function startPgliteThread(options: PgliteThreadOptions): Promise<PgliteThread> {
  const link = new ThreadLink(options);
  await link.open(options.dataDir);
  return link;
}

interface PendingCall {
  resolve(result: PgliteResult): void;
  reject(error: unknown): void;
}

class ThreadLink implements PgliteThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, PendingCall>();
  private readonly listeners = new Map<number, (payload: string) => void>();
  private readonly onDeath: (cause: Error) => void;
  private lastId = 0;
  private isOpen = false;
  /** Why no more calls are taken. */
  private ended: Error | null = null;
  private closing: Promise<void> | null = null;

  constructor({ onDeath, file = THREAD_FILE }: PgliteThreadOptions) {
    this.onDeath = onDeath;
    // Flags of this process, such as --input-type, are not for
    // the thread.
    this.worker = new Worker(file, { execArgv: [] })
      .on("message", (message: PgliteMessage) => this.take(message))
      .on("messageerror", (error) => this.end(error))
      .on("error", (error) => this.end(error))
      .on("exit", (code) => this.end(new Error(`its thread ended with code ${code}`)));
  }

  async open(dataDir: string): Promise<void> {
    try {
      await this.call({ kind: "open", dataDir });
      this.isOpen = true;
    } catch (error) {
      await this.worker.terminate();
      throw error;
    }
  }

  call(task: PgliteTask): Promise<PgliteResult> {
    return this.send(this.nextId(), task);
  }

  async listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    const listener = this.nextId();
    this.listeners.set(listener, onNotify);
    await this.send(listener, { kind: "listen", channel });
    return async () => {
      this.listeners.delete(listener);
      if (!this.ended) await this.call({ kind: "unlisten", listener });
    };
  }

  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private async closeOnce(): Promise<void> {
    if (this.ended) return;
    const closed = this.call({ kind: "close" });
    this.ended = new Error("it was closed");
    await closed.finally(() => this.worker.terminate());
  }

  private nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  private async send(id: number, task: PgliteTask): Promise<PgliteResult> {
    if (this.ended) throw new DatabaseUnavailable(this.ended);
    const request: PgliteRequest = { ...task, id };
    this.worker.postMessage(request);
    return this.answerTo(id);
  }

  private answerTo(id: number): Promise<PgliteResult> {
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
  }

  private take(message: PgliteMessage): void {
    if ("broken" in message) this.end(new Error(message.broken));
    else if ("payload" in message) this.listeners.get(message.listener)?.(message.payload);
    else this.settle(message);
  }

  private settle(answer: PgliteAnswer): void {
    const call = this.pending.get(answer.id);
    this.pending.delete(answer.id);
    if ("failure" in answer) call?.reject(errorFrom(answer.failure));
    else call?.resolve(answer.result);
  }

  /** The first cause counts: an exit follows each of the others. */
  private end(cause: Error): void {
    const isDeath = this.isOpen && this.ended === null;
    this.ended ??= cause;
    const calls = [...this.pending.values()];
    this.pending.clear();
    for (const call of calls) call.reject(new DatabaseUnavailable(cause, true));
    if (isDeath) this.onDeath(cause);
  }
}

const errorFrom = ({ message, fields }: PgliteFailure): Error =>
  Object.assign(new Error(message), fields);
