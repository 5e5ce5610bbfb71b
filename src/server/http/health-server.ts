/**
 * Probes and metrics of a process without clients, on its own
 * port.
 */
import Fastify from "fastify";
import type { Logger } from "pino";
import { createErrorAnswers, createErrorHandler, httpRefusal, refuseWith } from "./errors.js";
import { addHealth, type HealthDeps } from "./health.js";
import { listen } from "./listen.js";

export interface HealthServerOptions extends HealthDeps {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Logger;
}

/** A probe is a line and a few headers. */
const ARRIVAL_MS = 5_000;

/**
 * Throws StartupError when the address is not available.
 * `close()` ends every connection.
 */
export async function createHealthServer({
  host,
  port,
  log,
  ...health
}: HealthServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  const app = Fastify({
    logger: false,
    requestTimeout: ARRIVAL_MS,
    http: { headersTimeout: ARRIVAL_MS },
    forceCloseConnections: true,
    return503OnClosing: false,
    exposeHeadRoutes: false,
  });
  app.setErrorHandler(createErrorHandler(createErrorAnswers(log, false)));
  app.setNotFoundHandler((request, reply) => refuseWith(reply, httpRefusal(404), request.id));
  addHealth(app, health);
  const { url } = await listen(app, { host, port, variable: "WORKER_PORT" });
  return {
    url,
    async close() {
      await app.close();
    },
  };
}
