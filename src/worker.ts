/**
 * `npm run start:worker`: the jobs behind the API, on the
 * same servers. Any number may run.
 */
import "reflect-metadata";
import { startApp } from "./app/compose.js";
import { runProcess } from "./app/run-process.js";
import { StartupError } from "./domain/errors.js";

await runProcess(async (config, log) => {
  const { url: redisUrl, cacheUrl } = config.redis;
  if (redisUrl === undefined || cacheUrl === undefined || config.database.url === undefined) {
    throw new StartupError(
      "A worker needs REDIS_URL and DATABASE_URL: the servers it shares with the API. `npm " +
        "start` brings its own.",
    );
  }
  const app = await startApp({
    config,
    redisUrl,
    cacheUrl,
    roles: { api: false, worker: true },
    log,
  });
  log.info(app.healthUrl === null ? {} : { url: app.healthUrl }, "the worker is ready");
  return app;
});
