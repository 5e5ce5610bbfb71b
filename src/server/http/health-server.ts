/** The probes and the metrics of a process that serves no clients, on a port of their own. */
import Fastify from "fastify";
import type { Logger } from "pino";
import { createErrorHandler, refusalOf, refuse } from "./errors.js";
import { addHealth, type HealthDeps } from "./health.js";
import { listen } from "./listen.js";

/** What it answers from, and where. */
export interface HealthServerOptions extends HealthDeps {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Logger;
}

/** A probe is a line and a few headers. */
const ARRIVAL_MS = 5_000;

/**
 * Starts to answer. Throws StartupError when the address cannot be had. `close()` ends every
 * connection.
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
  app.setErrorHandler(createErrorHandler(log, false));
  app.setNotFoundHandler((request, reply) => refuse(reply, refusalOf(404), request.id));
  addHealth(app, health);
  const { url } = await listen(app, { host, port, variable: "WORKER_PORT" });
  return {
    url,
    async close() {
      await app.close();
    },
  };
}
