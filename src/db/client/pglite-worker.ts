/**
 * The thread of the embedded database. PGlite runs here, so
 * that no statement holds the event loop of the process.
 * pglite-thread.ts starts it, and sends the requests.
 *
 * PGlite opens its files by path. So each request is refused
 * once another folder, or none, stands in that place.
 */
import { fstatSync, openSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { parentPort } from "node:worker_threads";
import type { PGlite } from "@electric-sql/pglite";

/** What the thread is asked to do. */
export type PgliteTask =
  /** The first one. Makes a folder that is missing. */
  | { readonly kind: "open"; readonly dataDir: string }
  | { readonly kind: "query"; readonly text: string; readonly values: readonly unknown[] }
  /** Notifications carry the id of this request. */
  | { readonly kind: "listen"; readonly channel: string }
  | { readonly kind: "unlisten"; readonly listener: number }
  | { readonly kind: "close" };

export type PgliteRequest = PgliteTask & { readonly id: number };

export interface PgliteResult {
  readonly rows: readonly object[];
  /** What was done, e.g. `COMMIT`. */
  readonly command?: string | undefined;
}

/** An error taken apart: structured clone drops its fields. */
export interface PgliteFailure {
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** The answer to the request with this id. */
export type PgliteAnswer =
  | { readonly id: number; readonly result: PgliteResult }
  | { readonly id: number; readonly failure: PgliteFailure };

/** What the thread sends. */
export type PgliteMessage =
  | PgliteAnswer
  | { readonly listener: number; readonly payload: string }
  /** The last one: PGlite cannot go on. */
  | { readonly broken: string };

type PerformTask = (request: PgliteRequest) => Promise<PgliteResult>;

const NO_ROWS: PgliteResult = { rows: [] };
/** Status of the exception that ends a failed statement. */
const LONG_JUMP = 100;
/** SQLSTATE undefined_file. */
const FOLDER_GONE = "58P01";

const send = (message: PgliteMessage): void => parentPort?.postMessage(message);

let performTask: PerformTask = async (request) => {
  if (request.kind !== "open") throw new Error(`${request.kind} comes before open`);
  performTask = performerOn(await openClient(request.dataDir), request.dataDir);
  return NO_ROWS;
};

/** PGlite takes the statements in their order. */
parentPort?.on("message", (request: PgliteRequest) => {
  performTask(request).then(
    (result) => send({ id: request.id, result }),
    (error: unknown) => send({ id: request.id, failure: failureOf(error) }),
  );
});

async function openClient(dataDir: string): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  if (!isInMemory(dataDir)) await mkdir(dirname(dataDir), { recursive: true });
  let panic: string | undefined;
  const onStderr = (line: string): boolean => {
    panic = /(?:PANIC|FATAL): +(.+)/.exec(line)?.[1] ?? panic;
    return true;
  };
  const client = await PGlite.create({ dataDir, onStderr });
  endWhenBroken(client, (error) => panic ?? messageIn(error));
  return client;
}

const isInMemory = (dataDir: string): boolean => dataDir.includes("://");

function performerOn(client: PGlite, dataDir: string): PerformTask {
  const isSameFolder = isInMemory(dataDir) ? () => true : folderCheck(dataDir);
  const unlisten = new Map<number, () => Promise<void>>();
  return async (request) => {
    if (!isSameFolder()) {
      // Closing would write to what stands there now.
      if (request.kind === "close") return NO_ROWS;
      throw Object.assign(new Error(`${dataDir} was deleted or replaced`), { code: FOLDER_GONE });
    }
    if (request.kind === "query") return query(client, request);
    if (request.kind === "close") await client.close();
    if (request.kind === "listen") {
      const { id: listener, channel } = request;
      const onNotify = (payload: string) => send({ listener, payload });
      unlisten.set(listener, await client.listen(channel, onNotify));
    }
    if (request.kind === "unlisten") {
      await unlisten.get(request.listener)?.();
      unlisten.delete(request.listener);
    }
    return NO_ROWS;
  };
}

async function query(
  client: PGlite,
  { text, values }: Extract<PgliteTask, { readonly kind: "query" }>,
): Promise<PgliteResult> {
  const { rows, command } = await client.query<object>(text, [...values]);
  return { rows, command };
}

/**
 * Whether the folder is the one that was opened. It is kept
 * open, so no other folder gets its inode.
 */
function folderCheck(dataDir: string): () => boolean {
  const opened = fstatSync(openSync(dataDir, "r"));
  return () => {
    const now = statSync(dataDir, { throwIfNoEntry: false });
    return now?.ino === opened.ino && now.dev === opened.dev;
  };
}

/**
 * PGlite catches what its WASM throws, and runs it again. A
 * PANIC (a full disk) would repeat without end.
 */
function endWhenBroken(client: PGlite, causeOf: (error: unknown) => string): void {
  const module = client.Module;
  const runOnce = module._PostgresMainLoopOnce;
  module._PostgresMainLoopOnce = () => {
    try {
      runOnce();
    } catch (error) {
      if ((error as { status?: unknown }).status === LONG_JUMP) throw error;
      send({ broken: causeOf(error) });
      process.exit(1);
    }
  };
}

/** The fields of PGlite's errors are texts; `params` is left out. */
function failureOf(error: unknown): PgliteFailure {
  const fields = Object.entries(error ?? {}).filter(
    ([name, value]) => typeof value === "string" && name !== "query" && name !== "message",
  );
  return { message: messageIn(error), fields: Object.fromEntries(fields) };
}

/** The WASM file system throws plain objects that hold only a number. */
const messageIn = (error: unknown): string => (error instanceof Error ? error.message : "");
