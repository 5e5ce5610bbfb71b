/**
 * Builds everything, once, from the bottom up: connections, structures, services, schema, server.
 * Only entry points and tests come here; nothing else knows how the parts are made. Whatever opens
 * is closed by {@link App.close}, in the opposite order.
 */
import { startApi } from "./api.js";
import { createBacklog } from "./backlog.js";
import { Closing } from "./disposer.js";
import type { ComposeOptions } from "./infrastructure.js";
import { openFloor } from "./open-infrastructure.js";
import { startWorker } from "./worker.js";

/** A running process. */
export interface App {
  /** Where the API listens; null for a worker. */
  readonly url: string | null;
  /**
   * Where the probes of the worker are; null for an API, and for a worker without a port of its
   * own.
   */
  readonly healthUrl: string | null;
  /** Drains and closes everything. Resolves within the shutdown window. */
  close(): Promise<void>;
}

/**
 * Builds and starts a process.
 * @throws StartupError when something it cannot do without is missing; what was opened by then is
 * closed again
 */
export async function startApp(options: ComposeOptions): Promise<App> {
  const closing = new Closing();
  try {
    const floor = await openFloor(options, closing);
    floor.metrics.readBacklogFrom(createBacklog(floor, options.config));
    const healthUrl = options.roles.worker
      ? (await startWorker(floor, options, closing)).healthUrl
      : null;
    const url = options.roles.api ? await startApi(floor, options, closing) : null;
    return { url, healthUrl, close: () => closing.run() };
  } catch (error) {
    await closing.run();
    throw error;
  }
}
