/**
 * The truth: PostgreSQL over a pool, or PGlite inside the process, behind one small interface that
 * both drivers satisfy.
 *
 * Statements are Drizzle `sql` templates, so every value is a parameter. A statement or a
 * connection that does not answer within `timeoutMs` rejects with DatabaseUnavailable; nothing
 * hangs, and a server that dies takes no process with it.
 */
import type { SQL } from "drizzle-orm";
import type { Logger } from "pino";
import type { Telemetry } from "../../domain/telemetry/telemetry.js";

/** Runs one statement. */
export interface Executor {
  /**
   * Resolves to the rows. 64-bit integers are numbers, timestamps are Dates. Rejects with
   * DatabaseUnavailable when Postgres is not there, or cannot now: docs/errors.md lists the
   * SQLSTATEs.
   */
  query<Row extends object>(statement: SQL): Promise<Row[]>;
}

/**
 * An open transaction (READ COMMITTED): what is written through it commits or vanishes together.
 */
export interface Tx extends Executor {
  readonly inTransaction: true;
}

/** How a transaction runs. */
export interface TransactionOptions {
  /** Statements may take as long as they need (migrations, seed, import). */
  readonly patient?: boolean;
  /** Its work cannot run twice, because it reads what can be read once (an import). */
  readonly once?: boolean;
}

/** A running LISTEN. */
export interface Listening {
  close(): Promise<void>;
}

/** An open database. */
export interface Database extends Executor {
  readonly kind: "postgres" | "pglite";
  /** Asks for nothing; rejects with DatabaseUnavailable when nobody answers. */
  ping(): Promise<void>;
  /**
   * Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. On
   * PGlite every other query waits meanwhile, so `work` must use `tx` alone. After a deadlock or a
   * serialization failure `work` runs a second time, so it changes nothing outside the database.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Runs `work`, once, unless another caller in any process is inside the same `lock`: then null,
   * at once. A holder that dies lets go.
   */
  exclusively<T>(lock: number, work: (executor: Executor) => Promise<T>): Promise<T | null>;
  /**
   * LISTEN on a connection of its own. Resolves when the server confirmed it. When the connection
   * drops, `onLost` is called, and it comes back by itself; then `onNotify("")` is called once,
   * because notifications sent in between are gone.
   */
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onLost?: () => void,
  ): Promise<Listening>;
  /** Ends every connection, listening ones included, after the statements under way. */
  close(): Promise<void>;
}

/** What opening needs. */
export interface DatabaseOptions {
  /** PostgreSQL >= 15; without it PGlite is used. */
  readonly url?: string | undefined;
  /** Folder of PGlite; "memory://" keeps nothing. Not used with a url. */
  readonly dataDir: string;
  /** Most connections at once. */
  readonly poolSize: number;
  /** Longest wait for a connection or a statement. */
  readonly timeoutMs: number;
  readonly telemetry: Telemetry;
  readonly log: Logger;
}
