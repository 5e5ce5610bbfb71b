/**
 * Opens the database: PostgreSQL where a URL names one,
 * PGlite otherwise.
 */
import type { Database, DatabaseOptions } from "./database.js";
import { openPglite } from "./pglite.js";
import { openPostgres } from "./postgres.js";

/**
 * Opens the database and proves that it answers.
 * @throws StartupError when it is unreachable, refuses us, or
 * is older than 15; with host and port, never the password
 */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.url === undefined
    ? openPglite(options)
    : openPostgres({ ...options, url: options.url });
}
