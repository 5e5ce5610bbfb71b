/**
 * What a probe is answered: named checks, each "ok" or what is wrong in words for an operator. A
 * new kind of thing is one entry of {@link LOOKS}.
 */
import { createBroadcastTable } from "../db/notification/broadcasts.js";
import type { OutboxState } from "../db/outbox-operating.js";
import { type JobState, troubleOf } from "../domain/telemetry/job.js";
import { withDeadline } from "../domain/time/deadline.js";
import { MINUTE, SECOND } from "../domain/time/time.js";
import type { Readiness } from "../server/http/health.js";
import { stateOfWorkers } from "../services/workers.js";
import type { Floor } from "./infrastructure.js";

/** Checks by name. */
type Checks = Readonly<Record<string, string>>;

/** Looks at something for a probe; cheap enough to be asked every second. */
interface Look {
  readonly of: (floor: Floor) => Promise<Checks>;
  /** What is answered where the look fails or takes too long. */
  readonly unanswered: Checks;
}

/** The words for what is in a Postgres that does not answer. */
const CANNOT_BE_TOLD = "cannot be told";
/** A look that takes longer says so, and the others are answered: before a probe gives up. */
const LOOK_MS = 1.5 * SECOND;

/** Outbox rows that wait for longer have no worker, or one that cannot send them. */
const OLD_MS = MINUTE;

const broadcasts = createBroadcastTable();

/**
 * One look for each kind of thing that every process stands on; a later one wins where two name the
 * same check.
 */
const LOOKS: readonly Look[] = [
  { of: lookAtPostgres, unanswered: { postgres: "does not answer" } },
  { of: lookAtRedis, unanswered: { redis: "does not answer" } },
  { of: lookAtOutbox, unanswered: { outbox: CANNOT_BE_TOLD } },
  { of: lookAtBroadcasts, unanswered: { broadcasts: CANNOT_BE_TOLD } },
];

/** What an API depends on besides: the processes that do the work behind it. */
const API_LOOKS: readonly Look[] = [
  ...LOOKS,
  { of: lookAtWorkers, unanswered: { worker: CANNOT_BE_TOLD } },
];

/** The readiness of an API. */
export const createApiReadiness = (floor: Floor) => (): Promise<Readiness> =>
  look(floor, API_LOOKS);

/** The readiness of a worker: its own jobs are one more check. */
export const createWorkerReadiness =
  (floor: Floor, jobs: () => readonly JobState[]) => (): Promise<Readiness> =>
    look(floor, [...LOOKS, { of: async () => lookAtJobs(jobs()), unanswered: {} }]);

/** Either server is enough to answer something: Postgres everything, Redis what is cached. */
async function look(floor: Floor, looks: readonly Look[]): Promise<Readiness> {
  const looked = looks.map(({ of, unanswered }) =>
    withDeadline(of(floor), LOOK_MS, () => unanswered).catch(() => unanswered),
  );
  const checks: Checks = Object.assign({}, ...(await Promise.all(looked)));
  return { ready: checks.postgres === "ok" || floor.cache.link.usable(), checks };
}

function lookAtJobs(states: readonly JobState[]): Checks {
  const troubles = states.map(troubleOf).filter((trouble) => trouble !== null);
  return { jobs: troubles.length === 0 ? "ok" : troubles.join("; ") };
}

async function lookAtWorkers({ workers }: Floor): Promise<Checks> {
  return { worker: stateOfWorkers(await workers.seen()) };
}

async function lookAtPostgres({ database }: Floor): Promise<Checks> {
  await database.ping();
  return { postgres: "ok" };
}

/** Each Redis by its role, and every part that does without one. */
async function lookAtRedis({ conditions, degradations, cache }: Floor): Promise<Checks> {
  await conditions.look();
  const states = degradations.states();
  return {
    ...states,
    ...(cache.link.usable() || states.cache !== "ok"
      ? {}
      : { cache: "not used: Redis does not answer" }),
  };
}

async function lookAtOutbox({ outboxOperating }: Floor): Promise<Checks> {
  return { outbox: await outboxOperating.state().then(stateOfOutbox) };
}

function stateOfOutbox({ setAside, oldestMs }: OutboxState): string {
  const wrongs = [
    ...(setAside > 0 ? [`${setAside} rows are set aside: npm run outbox -- list`] : []),
    ...(oldestMs > OLD_MS ? [`the oldest row waits for ${Math.round(oldestMs / SECOND)} s`] : []),
  ];
  return wrongs.length > 0 ? wrongs.join("; ") : "ok";
}

async function lookAtBroadcasts({ database }: Floor): Promise<Checks> {
  const { setAside } = await broadcasts.state(database);
  return {
    broadcasts: setAside > 0 ? `${setAside} parts are set aside: npm run outbox -- list` : "ok",
  };
}
