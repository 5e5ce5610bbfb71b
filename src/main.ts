/**
 * `npm start`: API and worker in one process, with embedded
 * servers where none are configured. `--api`: the API alone,
 * on configured servers, for production.
 */
import "reflect-metadata";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { type App, startApp } from "./app/compose.js";
import { type DemoShopOptions, provideDemoShop } from "./app/demo-shop.js";
import { readProgress, showFilling } from "./app/filling.js";
import { type Running, runProcess } from "./app/run-process.js";
import type { Config } from "./config/config.js";
import { StartupError } from "./domain/errors.js";
import { lockDataDir } from "./embedded/data-lock.js";
import { fillFirstDatabase } from "./embedded/first-database.js";
import { type FolderWatch, watchFolders } from "./embedded/folder-watch.js";
import type { EmbeddedRedis } from "./embedded/redis-process.js";
import { startEmbeddedRedis } from "./embedded/redis-server.js";
import { ensureDemoPassword, ensureServiceToken } from "./embedded/secrets.js";
import type { DemoSecrets } from "./server/explorer/demo-secrets.js";
import { DEMO_LOGINS } from "./services/account/demo-logins.js";

/** The folder of the database, in the data folder. */
const POSTGRES = "postgres";
const apiAlone = process.argv.includes("--api");
await runProcess(apiAlone ? runApi : startAll);

async function runApi(config: Config, log: Logger): Promise<Running> {
  const { url: redisUrl, cacheUrl } = config.redis;
  if (redisUrl === undefined || cacheUrl === undefined || config.database.url === undefined) {
    throw new StartupError(
      "The API alone needs REDIS_URL and DATABASE_URL: the servers it shares with the " +
        "workers. `npm start` brings its own.",
    );
  }
  const app = await startApp({
    config,
    redisUrl,
    cacheUrl,
    roles: { api: true, worker: false },
    log,
  });
  log.info({ url: app.url }, "ready");
  return app;
}

/**
 * Everything that was opened is closed again, last first,
 * also when a later step fails.
 */
async function startAll(config: Config, log: Logger, stopping: AbortSignal): Promise<Running> {
  const opened: Running[] = [];
  const close = async (): Promise<void> => {
    for (const thing of opened.splice(0).reverse()) await thing.close();
  };
  try {
    const embedded = config.database.url === undefined || config.redis.url === undefined;
    const onWait = (holder: number) =>
      log.info({ holder }, "waiting for a process that is stopping to leave the data folder");
    if (embedded) opened.push(await lockDataDir(config.dataDir, { stopping, onWait }));
    const redis = await openRedisServer(config, log, opened);
    const watch = embedded ? await stopWithoutFolders(config, log, redis) : null;
    if (watch) opened.push(watch);
    const ours = config.database.url === undefined;
    const adminToken =
      config.adminToken ?? (ours ? await ensureServiceToken(config.dataDir) : undefined);
    const demo = ours ? await prepareDemo(config, log) : null;
    const made = {
      adminToken: config.adminToken === undefined ? adminToken : undefined,
      logins: demo
        ? { emails: DEMO_LOGINS.map(({ email }) => email), password: demo.demo.secret }
        : undefined,
    };
    if (ours) await watch?.add(join(config.dataDir, POSTGRES));
    const app = await startApp({
      config: { ...config, adminToken },
      demo: made,
      redisUrl: redis.url,
      cacheUrl: config.redis.cacheUrl ?? redis.url,
      roles: { api: true, worker: true },
      log,
      // A command may have made the database, without a shop.
      ...(demo ? { prepare: (database) => provideDemoShop(database, { ...demo, config }) } : {}),
    });
    opened.push(app);
    greet(config, app, made);
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}

type RedisServer = Pick<EmbeddedRedis, "url" | "abandon">;

/** The configured server, or one of our own. */
async function openRedisServer(
  { redis: { url }, dataDir }: Config,
  log: Logger,
  opened: Running[],
): Promise<RedisServer> {
  if (url !== undefined) return { url, abandon() {} };
  const redis = await startEmbeddedRedis({ dataDir, log });
  opened.push(redis);
  return redis;
}

/**
 * Ends the process when a folder in use is deleted or
 * replaced: closing in order would write to that place.
 */
function stopWithoutFolders(
  { dataDir, redis }: Config,
  log: Logger,
  { abandon }: RedisServer,
): Promise<FolderWatch> {
  const folders = [dataDir, ...(redis.url === undefined ? [join(dataDir, "redis")] : [])];
  return watchFolders(folders, (gone) => {
    // With its own folder in place, Redis saves its data.
    if (gone.some((folder) => basename(folder) !== POSTGRES)) abandon();
    log.fatal(
      { gone },
      "folders in use were deleted or replaced: nothing can be kept any more, stopping at once. " +
        "Put them back, or delete the whole data folder, then start again",
    );
    process.exit(1);
  });
}

/** Fills a new shop before we open it. */
async function prepareDemo(config: Config, log: Logger): Promise<Omit<DemoShopOptions, "config">> {
  const { dataDir } = config;
  const { secret, isNew } = await ensureDemoPassword(dataDir);
  const filling = showFilling(log);
  const isFilled = await fillFirstDatabase({
    dataDir,
    filler: [fileURLToPath(new URL("cli/fill.js", import.meta.url)), dataDir],
    onFill: filling.onFill,
    onLine: (line) => readProgress(line, filling),
    log,
  });
  if (isFilled) filling.onFilled();
  return { demo: { secret, isNew: isNew && !isFilled }, filling };
}

/**
 * For people, on standard output. Secrets are shown only where
 * we made them.
 */
function greet({ http, dataDir, production }: Config, { url }: App, made: DemoSecrets): void {
  const { adminToken: token, logins } = made;
  const pages = [
    ...(production ? [] : [`  first page ${url}/ (a live demo)`]),
    `  GraphiQL   ${url}/graphiql`,
    ...(http.explorer === "sandbox"
      ? [`  Sandbox    ${url}/graphql in a browser (Apollo's, needs the network)`]
      : []),
  ];
  const lines = [
    `Souk is ready at ${url}/graphql (HTTP and WebSocket)`,
    ...(http.explorer === "off" ? [] : pages),
    `  health     ${url}/livez  ${url}/readyz  ${url}/metrics`,
    ...(token
      ? [`  admin      Authorization: Bearer ${token}   (kept in ${dataDir}/admin-token)`]
      : []),
    ...(logins
      ? [
          `  logins     ${logins.emails.join(", ")}`,
          `             password ${logins.password}   (kept in ${dataDir}/demo-password)`,
        ]
      : []),
  ];
  process.stdout.write(`\n${lines.join("\n")}\n\n`);
}
