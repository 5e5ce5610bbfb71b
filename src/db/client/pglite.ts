/**
 * PGlite: PostgreSQL inside the process, the embedded
 * default. One connection, and a transaction holds up every
 * other query: no pool, no time-outs. Only one process may
 * open a folder; src/embedded/data-lock.ts ensures it.
 */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { PGlite, Transaction } from "@electric-sql/pglite";
import { sql } from "drizzle-orm";
import { StartupError } from "../../domain/errors.js";
import type { Database, DatabaseOptions, Executor, Tx } from "./database.js";
import { asFailure, repeatedOnce } from "./failures.js";
import { clocked, compile } from "./statements.js";

/** Opens the folder, making it on the first start. */
export async function openPglite(options: DatabaseOptions): Promise<Database> {
  const client = await createClient(options.dataDir);
  const executor = pgliteExecutor(client, options);
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
      const run = () => transact(client, options, work);
      return once ? run() : repeatedOnce(run);
    },
    async exclusively(lock, work) {
      if (held.has(lock)) return null;
      held.add(lock);
      return work(executor).finally(() => held.delete(lock));
    },
    async listen(channel, onNotify) {
      const unlisten = await client.listen(channel, onNotify);
      return { close: () => (client.closed ? Promise.resolve() : unlisten()) };
    },
    close: () => client.close(),
  };
}

async function createClient(dataDir: string): Promise<PGlite> {
  // Loaded here, so that a process with a real PostgreSQL
  // never pays for the WASM.
  const { PGlite } = await import("@electric-sql/pglite");
  try {
    if (!dataDir.includes("://")) await mkdir(dirname(dataDir), { recursive: true });
    return await PGlite.create({ dataDir });
  } catch (error) {
    throw new StartupError(
      `The embedded database in ${dataDir} cannot be opened: ${openFailure(error)}. Mend it, or ` +
        "set DATA_DIR or DATABASE_URL.",
    );
  }
}

/** The WASM file system throws plain objects that hold only a number. */
function openFailure(error: unknown): string {
  return error instanceof Error && error.message
    ? error.message
    : "its files cannot be read and written by this user, or the disk is full";
}

function pgliteExecutor(client: PGlite | Transaction, { telemetry }: DatabaseOptions): Executor {
  return {
    query<Row extends object>(statement: Parameters<Executor["query"]>[0]): Promise<Row[]> {
      const { text, values } = compile(statement);
      return clocked(telemetry, async () => (await client.query<Row>(text, values)).rows);
    },
  };
}

/** Maps failures of BEGIN and COMMIT; statements map those of `work`. */
async function transact<T>(
  client: PGlite,
  options: DatabaseOptions,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  let finished = false;
  try {
    return await client.transaction(async (transaction) => {
      const result = await work(txOf(transaction, options));
      finished = true;
      return result;
    });
  } catch (error) {
    throw finished ? asFailure(error) : error;
  }
}

const txOf = (transaction: Transaction, options: DatabaseOptions): Tx => ({
  inTransaction: true,
  ...pgliteExecutor(transaction, options),
});
