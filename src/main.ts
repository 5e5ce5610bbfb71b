/**
 * `npm start`: API and worker in one process, with whatever servers are not configured brought along. `--api`: the API alone, on
 * servers that are, for production.
 */
import "reflect-metadata";
import type { Logger } from "pino";
import { type App, startApp } from "./compose.js";
import type { Config } from "./config.js";
import type { Database } from "./db/database.js";
import { DEFAULT_SEED, isEmpty, seedCatalogue } from "./db/seed.js";
import { StartupError } from "./domain/errors.js";
import { lockDataDir } from "./embedded/data-lock.js";
import { startEmbeddedRedis } from "./embedded/redis-server.js";
import { ensureServiceToken } from "./embedded/service-token.js";
import { type Running, runProcess } from "./run-process.js";

const apiAlone = process.argv.includes("--api");
await runProcess(apiAlone ? startApi : startAll);

async function startApi(config: Config, log: Logger): Promise<Running> {
  const { url: redisUrl, cacheUrl } = config.redis;
  if (redisUrl === undefined || cacheUrl === undefined || config.database.url === undefined) {
    throw new StartupError(
      "The API alone needs REDIS_URL and DATABASE_URL: the servers it shares with the workers. `npm start` brings its own.",
    );
  }
  const app = await startApp({ config, redisUrl, cacheUrl, roles: { api: true, worker: false }, log });
  log.info({ url: app.url }, "ready");
  return app;
}

/** Everything that was opened is closed again, last first, also when a later step fails. */
async function startAll(config: Config, log: Logger): Promise<Running> {
  const opened: Running[] = [];
  const close = async (): Promise<void> => {
    for (const thing of opened.splice(0).reverse()) await thing.close();
  };
  try {
    const embedded = config.database.url === undefined || config.redis.url === undefined;
    if (embedded) opened.push(await lockDataDir(config.dataDir));
    const redisUrl = config.redis.url ?? (await openEmbeddedRedis(config, log, opened));
    const adminToken = config.adminToken ?? (config.database.url === undefined ? await ensureServiceToken(config.dataDir) : undefined);
    const app = await startApp({
      config: { ...config, adminToken },
      redisUrl,
      cacheUrl: config.redis.cacheUrl ?? redisUrl,
      roles: { api: true, worker: true },
      log,
      ...(config.database.url === undefined ? { prepare: (database) => firstSeed(database, log) } : {}),
    });
    opened.push(app);
    greet(config, app, config.adminToken === undefined ? adminToken : undefined);
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openEmbeddedRedis({ dataDir }: Config, log: Logger, opened: Running[]): Promise<string> {
  const redis = await startEmbeddedRedis({ dataDir, log });
  opened.push(redis);
  return redis.url;
}

async function firstSeed(database: Database, log: Logger): Promise<void> {
  if (!(await isEmpty(database))) return;
  log.info({ products: DEFAULT_SEED.products }, "first start: filling the shop, this takes some seconds");
  await seedCatalogue(database, DEFAULT_SEED);
}

/** For a person, on standard output; the log goes on in JSON. The token is shown only where we made it. */
function greet({ http, dataDir }: Config, { url }: App, madeToken: string | undefined): void {
  const lines = [
    `Souk is ready at ${url}/graphql (HTTP and WebSocket)`,
    ...(http.explorer === "off"
      ? []
      : [
          `  explorer   ${url}/graphql in a browser (Apollo ${http.explorer === "sandbox" ? "Sandbox, needs the network" : "not needed: GraphiQL"})`,
          `  GraphiQL   ${url}/graphiql`,
        ]),
    `  health     ${url}/livez  ${url}/readyz  ${url}/metrics`,
    ...(madeToken ? [`  admin      Authorization: Bearer ${madeToken}   (kept in ${dataDir}/admin-token)`] : []),
  ];
  process.stdout.write(`\n${lines.join("\n")}\n\n`);
}
