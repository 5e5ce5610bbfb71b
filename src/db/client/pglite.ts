/**
 * PGlite: PostgreSQL in a thread of the process, the embedded
 * default. One connection, and a transaction holds up every
 * other query: no pool, no time-outs. Only one process may
 * open a folder; src/embedded/data-lock.ts ensures it.
 */
import { sql } from "drizzle-orm";
import { DatabaseUnavailable, StartupError } from "../../domain/errors.js";
import type { Database, DatabaseOptions, Executor, Tx } from "./database.js";
import { asFailure, repeatedOnce } from "./failures.js";
import { type PgliteThread, startPgliteThread } from "./pglite-thread.js";
import { clocked, compile } from "./statements.js";

/** Opens the folder, making it on the first start. */
export async function openPglite(options: DatabaseOptions): Promise<Database> {
  const thread = await openThread(options.dataDir);
  const connection = shareConnection();
  const executor = executorOn(options, (task) => connection.shared(() => thread.call(task)));
  /**
   * One process, so "exclusive" needs no server. A
   * transaction held open would block every reader.
   */
  const held = new Set<number>();
  return {
    kind: "pglite",
    query: (statement) => repeatedOnce(() => executor.query(statement)),
    async ping() {
      await executor.query(sql`SELECT 1`);
    },
    transaction(work, { once = false } = {}) {
      const run = () => connection.alone(() => transact(thread, options, work));
      return once ? run() : repeatedOnce(run);
    },
    async exclusively(lock, work) {
      if (held.has(lock)) return null;
      held.add(lock);
      return work(executor).finally(() => held.delete(lock));
    },
    async listen(channel, onNotify) {
      // Alone: in a transaction, LISTEN would wait for its end.
      const unlisten = await connection.alone(() => thread.listen(channel, onNotify));
      return { close: () => connection.alone(unlisten) };
    },
    close: () => connection.alone(() => thread.close()),
  };
}

/** A process without its database stops, as after any error that is not handled. */
function stopProcess(cause: Error): void {
  setImmediate(() => {
    throw new Error(`The embedded database ended: ${cause.message}`, { cause });
  });
}

async function openThread(dataDir: string): Promise<PgliteThread> {
  try {
    return await startPgliteThread({ dataDir, onDeath: stopProcess });
  } catch (error) {
    throw new StartupError(
      `The embedded database in ${dataDir} cannot be opened: ${openFailure(error)}. Mend it, or ` +
        "set DATA_DIR or DATABASE_URL.",
    );
  }
}

/** The WASM file system says no more than a number. */
function openFailure(error: unknown): string {
  const { message } = (error instanceof DatabaseUnavailable ? error.cause : error) as Error;
  return message || "its files cannot be read and written by this user, or the disk is full";
}

/** The one connection: statements by themselves share it, others use it alone. */
function shareConnection() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    shared: <T>(use: () => Promise<T>): Promise<T> => last.then(use),
    alone<T>(use: () => Promise<T>): Promise<T> {
      const done = last.then(use);
      last = done.catch(() => {});
      return done;
    },
  };
}

function executorOn({ telemetry }: DatabaseOptions, call: PgliteThread["call"]): Executor {
  return {
    query<Row extends object>(statement: Parameters<Executor["query"]>[0]): Promise<Row[]> {
      const task = { kind: "query", ...compile(statement) } as const;
      return clocked(telemetry, async () => (await call(task)).rows as Row[]);
    },
  };
}

async function transact<T>(
  thread: PgliteThread,
  options: DatabaseOptions,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  let isOpen = true;
  const call: PgliteThread["call"] = async (task) => {
    // The connection may be in the transaction of another.
    if (!isOpen) throw new Error("The transaction has ended.");
    return thread.call(task);
  };
  await controlOn(thread, "BEGIN");
  try {
    const result = await work({ inTransaction: true, ...executorOn(options, call) });
    isOpen = false;
    await controlOn(thread, "COMMIT");
    return result;
  } catch (error) {
    isOpen = false;
    // The first error has the cause.
    await controlOn(thread, "ROLLBACK").catch(() => {});
    throw error;
  }
}

/** BEGIN, COMMIT and ROLLBACK are not counted as statements. */
async function controlOn(thread: PgliteThread, text: string): Promise<void> {
  const { command } = await thread.call({ kind: "query", text, values: [] }).catch((error) => {
    throw asFailure(error);
  });
  // `work` went on after a statement that failed.
  if (command !== text)
    throw Object.assign(new Error("The transaction was rolled back instead of committed."), {
      code: "25P02",
    });
}
