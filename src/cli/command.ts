/**
 * What every command shares: configuration, database, and how it
 * ends. The embedded database is opened behind its lock.
 */
import { pino } from "pino";
import { type Config, readConfig } from "../config/config.js";
import { environment } from "../config/env-file.js";
import type { ConfigPart } from "../config/part.js";
import type { Database } from "../db/client/database.js";
import { migrate } from "../db/client/migrate.js";
import { openDatabase } from "../db/client/open.js";
import { SoukError, StartupError } from "../domain/errors.js";
import { silentTelemetry } from "../domain/telemetry/telemetry.js";
import { lockDataDir } from "../embedded/data-lock.js";
import { createLogger } from "../telemetry/log.js";
import { stackOf } from "../telemetry/source-positions.js";

export interface Command {
  readonly config: Config;
  readonly database: Database;
  readonly log: ReturnType<typeof commandLog>;
}

/**
 * Opens and migrates the database, runs `work`, closes
 * everything. Exits with what `work` resolves to.
 * @param parts settings of subjects that it needs
 */
export async function runCommand(
  work: (command: Command) => Promise<number>,
  parts: readonly ConfigPart[] = [],
): Promise<void> {
  try {
    const config = readConfig(environment(), parts);
    process.exitCode = await withDatabase(config, (database, log) =>
      work({ config, database, log }),
    );
  } catch (error) {
    process.stderr.write(`\n${failureMessage(error)}\n\n`);
    process.exitCode = 1;
  }
}

/** Prints the usage and ends the command. */
export function usage(text: string, exitCode: number): never {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exit(exitCode);
}

async function withDatabase<T>(
  config: Config,
  work: (database: Database, log: Command["log"]) => Promise<T>,
): Promise<T> {
  const log = commandLog();
  const onWait = (holder: number) =>
    log.warn({ holder }, "waiting for a process that is stopping to leave the data folder");
  const lock =
    config.database.url === undefined ? await lockDataDir(config.dataDir, { onWait }) : null;
  try {
    const database = await openDatabase({
      ...config.database,
      dataDir: `${config.dataDir}/postgres`,
      telemetry: silentTelemetry,
      log,
    });
    return await migrate(database, log)
      .then(() => work(database, log))
      .finally(() => database.close());
  } finally {
    await lock?.close();
  }
}

/** Warnings only, beside the output. */
const commandLog = () => createLogger({ level: "warn", destination: pino.destination(2) });

/**
 * Failures that say what to do are printed as they are;
 * unexpected ones with their stack.
 */
function failureMessage(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  if (error instanceof SoukError)
    return (
      `${error.message} Nothing was ` +
      `changed.${error.cause instanceof Error ? `\n${error.cause.message}` : ""}`
    );
  return stackOf(error);
}
