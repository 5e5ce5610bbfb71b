/** The work behind the API. */
import { SECOND } from "../domain/time/time.js";
import { count, optionalPort, type Parsed } from "./values.js";

export const workerVariables = {
  OUTBOX_POLL_MS: count(SECOND, 10).describe(
    "how often the relay looks for unsent outbox rows when nothing wakes it",
  ),
  OUTBOX_DRAIN_MS: count(250).describe(
    "longest a mutation waits for its own invalidations to be sent",
  ),
  OUTBOX_ATTEMPTS_MAX: count(10).describe(
    "attempts to send an outbox row before it is set aside; the pause between two doubles",
  ),
  WORKER_PORT: optionalPort().describe(
    "port where a worker answers /livez, /readyz and /metrics; empty: none, 0 takes a free one",
  ),
  WORKER_BEAT_MS: count(2 * SECOND, 10).describe(
    "how often a worker says in PostgreSQL that it runs; after three beats and 4 s it is gone",
  ),
};

type WorkerEnvironment = Parsed<typeof workerVariables>;

/**
 * The relay looks every `pollMs`, so an earlier first retry
 * would wait as long.
 */
export const toOutbox = (env: WorkerEnvironment) => ({
  pollMs: env.OUTBOX_POLL_MS,
  drainMs: env.OUTBOX_DRAIN_MS,
  attemptsMax: env.OUTBOX_ATTEMPTS_MAX,
  retryMs: env.OUTBOX_POLL_MS,
});

export const toWorker = (env: WorkerEnvironment) => ({
  port: env.WORKER_PORT,
  beatMs: env.WORKER_BEAT_MS,
});
