/**
 * The answer to a probe: named checks, each "ok" or a fault in
 * words for an operator. Subjects add checks of their own.
 */
import type { OutboxState } from "../db/outbox-operating.js";
import { type JobState, troubleOf } from "../domain/telemetry/job.js";
import { withDeadline } from "../domain/time/deadline.js";
import { MINUTE, SECOND } from "../domain/time/time.js";
import type { Readiness } from "../server/http/health.js";
import { stateOfWorkers } from "../services/workers.js";
import type { Infrastructure } from "./infrastructure.js";

/** States by name. */
type States = Readonly<Record<string, string>>;

/** One check. */
export interface Check {
  /** Must be cheap enough for every second. */
  look(): Promise<States>;
  /** The answer when the look fails or is late. */
  readonly unanswered: States;
}

/** A state that is stored in Postgres, which does not answer. */
export const STATE_UNKNOWN = "cannot be told";
/** Longest wait for a look: probes give up soon. */
const LOOK_MS = 1.5 * SECOND;
/**
 * Rows that wait longer have no worker, or one that cannot send
 * them.
 */
const OLD_MS = MINUTE;

/** The readiness of an API, with that of the workers behind it. */
export function createApiReadiness(
  infrastructure: Infrastructure,
  checks: readonly Check[],
): () => Promise<Readiness> {
  const { workers } = infrastructure;
  const workerCheck: Check = {
    look: async () => ({ worker: stateOfWorkers(await workers.seen()) }),
    unanswered: { worker: STATE_UNKNOWN },
  };
  return readinessOf(infrastructure, [...checks, workerCheck]);
}

/** The readiness of a worker, with its own jobs. */
export function createWorkerReadiness(
  infrastructure: Infrastructure,
  checks: readonly Check[],
  jobs: () => readonly JobState[],
): () => Promise<Readiness> {
  const jobCheck: Check = { look: async () => stateOfJobs(jobs()), unanswered: {} };
  return readinessOf(infrastructure, [...checks, jobCheck]);
}

/**
 * Ready while one server answers: Postgres serves everything,
 * Redis what is cached. A later check replaces an earlier state
 * of the same name.
 */
function readinessOf(
  infrastructure: Infrastructure,
  more: readonly Check[],
): () => Promise<Readiness> {
  const all = [...infrastructureChecks(infrastructure), ...more];
  return async () => {
    const looks = all.map(({ look, unanswered }) =>
      withDeadline(look(), LOOK_MS, () => unanswered).catch(() => unanswered),
    );
    const checks: States = Object.assign({}, ...(await Promise.all(looks)));
    return { ready: checks.postgres === "ok" || infrastructure.cache.link.usable(), checks };
  };
}

const infrastructureChecks = (infrastructure: Infrastructure): readonly Check[] => [
  {
    async look() {
      await infrastructure.database.ping();
      return { postgres: "ok" };
    },
    unanswered: { postgres: "does not answer" },
  },
  { look: () => lookAtRedis(infrastructure), unanswered: { redis: "does not answer" } },
  {
    look: async () => ({ outbox: stateOfOutbox(await infrastructure.outboxOperating.state()) }),
    unanswered: { outbox: STATE_UNKNOWN },
  },
];

/** Each Redis by its role, and every part that can be degraded. */
async function lookAtRedis({ conditions, degradations, cache }: Infrastructure): Promise<States> {
  await conditions.look();
  const states = degradations.states();
  const isCacheSilent = !cache.link.usable() && states.cache === "ok";
  return { ...states, ...(isCacheSilent ? { cache: "not used: Redis does not answer" } : {}) };
}

function stateOfJobs(states: readonly JobState[]): States {
  const troubles = states.map(troubleOf).filter((trouble) => trouble !== null);
  return { jobs: troubles.length === 0 ? "ok" : troubles.join("; ") };
}

function stateOfOutbox({ setAside, oldestMs }: OutboxState): string {
  const wrongs = [
    ...(setAside > 0 ? [`${setAside} rows are set aside: npm run outbox -- list`] : []),
    ...(oldestMs > OLD_MS ? [`the oldest row waits for ${Math.round(oldestMs / SECOND)} s`] : []),
  ];
  return wrongs.length > 0 ? wrongs.join("; ") : "ok";
}
