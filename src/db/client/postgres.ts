/**
 * PostgreSQL through node-postgres: a pool for statements,
 * and one more connection per LISTEN (listen.ts).
 *
 * Both sides bound a statement: the server by
 * statement_timeout, the client by a slightly longer wait. A
 * client that lost its connection leaves the pool. `kill -9`
 * of the server costs the statements under way and nothing
 * else.
 */
import { sql } from "drizzle-orm";
import pg from "pg";
import { StartupError } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import type { Database, DatabaseOptions, Executor, Listening, Tx } from "./database.js";
import { asFailure, isConnectionLost, repeatedOnce } from "./failures.js";
import { listenPostgres } from "./listen.js";
import { PreparedStatements } from "./prepared.js";
import { clocked, compile } from "./statements.js";

export type PostgresOptions = DatabaseOptions & { readonly url: string };

/** Oldest server with our SQL: NULLS NOT DISTINCT came with 15. */
const OLDEST_VERSION = 150_000;
/** The server's own time-out comes first where it can. */
const READ_MARGIN_MS = SECOND / 2;

const { builtins, getTypeParser } = pg.types;
/** OIDs of pg_type that never change; the driver names only the first. */
const INT8_ARRAY = 1016 as Parameters<typeof getTypeParser>[0];

/**
 * Every bigint is a safe integer (ids, prices, sums), so both
 * drivers answer numbers.
 */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text") => {
    if (oid === builtins.INT8) return Number;
    if (oid === INT8_ARRAY)
      return (text: string) =>
        (getTypeParser(INT8_ARRAY, "text") as (value: string) => unknown[])(text).map(Number);
    return getTypeParser(oid, format);
  }) as typeof getTypeParser,
};

/** Opens a pool and proves that it answers. */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const pool = createPool(options);
  await proveReachable(pool, options.url).catch(async (error) => {
    await pool.end();
    throw error;
  });
  const listeners = new Set<Listening>();
  const prepared = new PreparedStatements();
  const single = { timeoutMs: options.timeoutMs, commits: true, prepared };
  const query: Executor["query"] = (statement) =>
    repeatedOnce(() =>
      withClient(pool, (client) => executorOf(client, options, single).query(statement)),
    );
  return {
    kind: "postgres",
    query,
    async ping() {
      await query(sql`SELECT 1`);
    },
    transaction(work, { patient = false, once = false } = {}) {
      const run = () => transaction(pool, options, { work, patient });
      return once ? run() : repeatedOnce(run);
    },
    exclusively: (lock, work) =>
      transaction(pool, options, {
        patient: false,
        async work(tx) {
          const [row] = await tx.query<{ free: boolean }>(
            sql`SELECT pg_try_advisory_xact_lock(${lock}) AS free`,
          );
          return row?.free ? work(tx) : null;
        },
      }),
    async listen(channel, onNotify, onLost) {
      const listening = await listenPostgres({
        config: clientConfig(options),
        channel,
        onNotify,
        onLost,
        log: options.log,
      });
      listeners.add(listening);
      return { close: () => (listeners.delete(listening) ? listening.close() : Promise.resolve()) };
    },
    async close() {
      await Promise.all([...listeners].map((listening) => listening.close()));
      listeners.clear();
      await pool.end();
    },
  };
}

function clientConfig({ url, timeoutMs }: PostgresOptions): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: "souk",
    // A plan for any values may be made while a table is empty.
    options: "-c plan_cache_mode=force_custom_plan",
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10 * SECOND,
    types,
  };
}

function createPool(options: PostgresOptions): pg.Pool {
  const pool = new pg.Pool({ ...clientConfig(options), max: options.poolSize });
  pool.on("error", (error) =>
    options.log.warn({ reason: error.message }, "an idle connection to Postgres was lost"),
  );
  // The pool does not listen to a client in use. Its
  // statement rejects anyway; an unheard "error" would end
  // the process.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

async function proveReachable(pool: pg.Pool, url: string): Promise<void> {
  const version = await pool
    .query<{ version: string }>("SELECT current_setting('server_version_num') AS version")
    .catch((error: Error) => {
      throw new StartupError(
        `PostgreSQL at ${hostAndPort(url)} cannot be used: ${reasonOf(error)}. Check ` +
          "DATABASE_URL, or unset it to use the embedded database.",
      );
    });
  if (Number(version.rows[0]?.version) < OLDEST_VERSION)
    throw new StartupError(`PostgreSQL at ${hostAndPort(url)} is older than version 15.`);
}

/** Host and port alone: the rest of a URL may hold a password. */
function hostAndPort(url: string): string {
  try {
    const { hostname, port } = new URL(url);
    return `${hostname || "localhost"}:${port || "5432"}`;
  } catch {
    return "DATABASE_URL";
  }
}

/**
 * Both addresses of "localhost" may have refused: such an
 * error has no message of its own.
 */
function reasonOf(error: Error): string {
  const [first = error] = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  return first.message.replace(/\.$/, "");
}

/**
 * Borrows a client for `use`; one that lost its connection
 * leaves the pool.
 */
async function withClient<T>(
  pool: pg.Pool,
  use: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error) => {
    throw asFailure(error);
  });
  let broken = false;
  try {
    return await use(client);
  } catch (error) {
    broken = isConnectionLost(error) || (error instanceof Error && isConnectionLost(error.cause));
    throw error;
  } finally {
    client.release(broken);
  }
}

interface StatementOptions {
  /** Null: no time-out. */
  readonly timeoutMs: number | null;
  /** Whether each statement commits by itself. */
  readonly commits: boolean;
  /** Absent in a transaction, which a failure would end. */
  readonly prepared?: PreparedStatements;
}

function executorOf(
  client: pg.ClientBase,
  { telemetry }: PostgresOptions,
  { timeoutMs, commits, prepared }: StatementOptions,
): Executor {
  const run = async <Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<Row[]> => {
    const name = prepared?.nameOf(query.text) ?? null;
    if (name === null) return (await client.query<Row>(query)).rows;
    try {
      return (await client.query<Row>({ ...query, name })).rows;
    } catch (error) {
      if (!prepared?.mayRepeatUnnamed(error)) throw error;
      const { rows } = await client.query<Row>(query);
      prepared.forget(query.text);
      return rows;
    }
  };
  return {
    query<Row extends object>(statement: Parameters<Executor["query"]>[0]): Promise<Row[]> {
      const query = {
        ...compile(statement),
        ...(timeoutMs === null ? {} : { query_timeout: timeoutMs + READ_MARGIN_MS }),
      };
      return clocked(telemetry, () => run<Row & pg.QueryResultRow>(query), commits);
    },
  };
}

interface TransactionWork<T> {
  readonly work: (tx: Tx) => Promise<T>;
  readonly patient: boolean;
}

function transaction<T>(
  pool: pg.Pool,
  options: PostgresOptions,
  { work, patient }: TransactionWork<T>,
): Promise<T> {
  return withClient(pool, async (client) => {
    const tx: Tx = {
      inTransaction: true,
      ...executorOf(client, options, {
        timeoutMs: patient ? null : options.timeoutMs,
        commits: false,
      }),
    };
    await control(client, patient ? "BEGIN; SET LOCAL statement_timeout = 0" : "BEGIN", options);
    try {
      const result = await work(tx);
      await control(client, COMMIT, options);
      return result;
    } catch (error) {
      // On a dead connection there is nothing to roll back;
      // the first error has the cause.
      await control(client, "ROLLBACK", options).catch(() => {});
      throw error;
    }
  });
}

const COMMIT = "COMMIT";

/** BEGIN, COMMIT and ROLLBACK are not counted as statements. */
async function control(
  client: pg.ClientBase,
  text: string,
  { timeoutMs }: PostgresOptions,
): Promise<void> {
  const query = { text, query_timeout: timeoutMs + READ_MARGIN_MS };
  await client.query(query).catch((error) => {
    throw asFailure(error, { commits: text === COMMIT });
  });
}
