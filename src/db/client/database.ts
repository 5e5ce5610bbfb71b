/**
 * PostgreSQL over a pool, or PGlite inside the process,
 * behind one small interface.
 *
 * Statements are Drizzle `sql` templates, so every value is a
 * parameter. A statement or connection without an answer
 * within `timeoutMs` rejects with DatabaseUnavailable.
 * Nothing hangs, and a server that dies takes no process with
 * it.
 */
import type { SQL } from "drizzle-orm";
import type { Logger } from "pino";
import type { Telemetry } from "../../domain/telemetry/telemetry.js";

/** Runs one statement. */
export interface Executor {
  /**
   * Resolves to the rows. 64-bit integers are numbers,
   * timestamps are Dates. Rejects with DatabaseUnavailable
   * when Postgres is absent or cannot serve now:
   * docs/errors.md lists the SQLSTATEs.
   */
  query<Row extends object>(statement: SQL): Promise<Row[]>;
}

/**
 * An open transaction (READ COMMITTED): its writes commit or
 * vanish together.
 */
export interface Tx extends Executor {
  readonly inTransaction: true;
}

export interface TransactionOptions {
  /** No statement time-out (migrations, seed, import). */
  readonly patient?: boolean;
  /**
   * Its work cannot run twice, because its source can be read
   * once (an import).
   */
  readonly once?: boolean;
}

/** A running LISTEN. */
export interface Listening {
  close(): Promise<void>;
}

export interface Database extends Executor {
  readonly kind: "postgres" | "pglite";
  /** Rejects with DatabaseUnavailable when there is no answer. */
  ping(): Promise<void>;
  /**
   * Runs `work` in a transaction: committed when it resolves,
   * rolled back when it rejects. On PGlite every other query
   * waits meanwhile, so `work` must use `tx` alone. After a
   * deadlock or serialization failure `work` runs a second
   * time. So it changes nothing outside the database.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Runs `work` once, unless another caller in any process
   * holds `lock`: then null, at once. The lock of a dead
   * holder is released.
   */
  exclusively<T>(lock: number, work: (executor: Executor) => Promise<T>): Promise<T | null>;
  /**
   * LISTEN on a connection of its own. Resolves when the
   * server confirmed it. A connection that drops calls
   * `onLost` and is opened again. Then `onNotify("")` is
   * called once, because notifications in between are lost.
   */
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onLost?: () => void,
  ): Promise<Listening>;
  /**
   * Ends every connection, listening ones included, after the
   * statements under way.
   */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** PostgreSQL >= 15; without it PGlite is used. */
  readonly url?: string | undefined;
  /** Folder of PGlite; "memory://" keeps nothing. Not used with a url. */
  readonly dataDir: string;
  /** Connections at once. */
  readonly poolSize: number;
  /** Longest wait for a connection or a statement. */
  readonly timeoutMs: number;
  readonly telemetry: Telemetry;
  readonly log: Logger;
}
