/**
 * Starts a process from the bottom up: infrastructure, subjects,
 * then worker and API. Only entry points and tests import it.
 * {@link App.close} closes everything in the opposite order.
 */
import { settingsOf } from "../config/config.js";
import type { DemoSecrets } from "../server/explorer/demo-secrets.js";
import { createChangeKind } from "../services/outbox/change-kind.js";
import { aliveOf } from "../services/workers.js";
import type { GaugeSource } from "../telemetry/metrics-sources.js";
import { startApi } from "./api.js";
import { Disposer } from "./disposer.js";
import type { Infrastructure, InfrastructureOptions } from "./infrastructure.js";
import type { Opening, OpenSubject, Subject } from "./module.js";
import { openInfrastructure } from "./open-infrastructure.js";
import { SUBJECTS } from "./subjects.js";
import { startWorker } from "./worker.js";

/** A running process. */
export interface App {
  /** Where the API listens; null for a worker. */
  readonly url: string | null;
  /**
   * Where the worker's probes are; null for an API, or without a
   * port.
   */
  readonly healthUrl: string | null;
  /** Drains and closes everything within the shutdown window. */
  close(): Promise<void>;
}

/** What a process is started with. */
export interface AppOptions extends InfrastructureOptions {
  /** Default: all subjects. */
  readonly subjects?: readonly Subject[];
  /** What the pages of development may show. */
  readonly demo?: DemoSecrets | undefined;
}

/**
 * Builds and starts a process.
 * @throws StartupError when a requirement is missing; what was
 * opened is closed again
 */
export async function startApp(options: AppOptions): Promise<App> {
  const disposer = new Disposer();
  try {
    const infrastructure = await openInfrastructure(options, disposer);
    const opening = { infrastructure, config: options.config, log: options.log, disposer };
    const subjects = openSubjects(options.subjects ?? SUBJECTS, opening);
    const { roles } = options;
    const healthUrl = roles.worker ? await startWorker(opening, subjects) : null;
    const url = roles.api ? await startApi(opening, subjects, options.demo) : null;
    return { url, healthUrl, close: () => disposer.run() };
  } catch (error) {
    await disposer.run();
    throw error;
  }
}

const NO_SETTINGS = {};

/** Opens subjects, and registers what they offer. */
function openSubjects(subjects: readonly Subject[], opening: Opening): OpenSubject[] {
  const { metrics, outbox, cache, pubsub } = opening.infrastructure;
  const opened = subjects.map((subject) => {
    const settings = subject.config ? settingsOf(opening.config, subject.config) : NO_SETTINGS;
    return { subject, module: subject.open({ ...opening, settings }) };
  });
  const modules = opened.map(({ module }) => module);
  const topics = modules.flatMap((module) => module.topics ?? []);
  outbox.register(createChangeKind({ cache, pubsub, topics }));
  for (const kind of modules.flatMap((module) => module.outbox ?? [])) outbox.register(kind);
  metrics.addGauges(workerGauges(opening.infrastructure));
  for (const source of modules.flatMap((module) => module.gauges ?? [])) metrics.addGauges(source);
  return opened;
}

const workerGauges = ({ workers }: Infrastructure): GaugeSource => ({
  helps: { souk_workers: "Workers that were seen lately." },
  read: async () => ({ souk_workers: aliveOf(await workers.seen()).length }),
});
