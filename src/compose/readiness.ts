/** What a probe is told: named checks, each "ok" or what is wrong in words for an operator. */
import type { OutboxState } from "../db/outbox-operating.js";
import { MINUTE, SECOND } from "../domain/time.js";
import type { Readiness } from "../server/health.js";
import type { Floor } from "./floor.js";

/** Checks by name. */
type Checks = Readonly<Record<string, string>>;

/** Looks at one kind of thing for a probe; bounded, and cheap enough to be asked every second. */
type Look = (floor: Floor) => Promise<Checks>;

/** One look for each kind of thing; a later one wins where two name the same check. */
const LOOKS: readonly Look[] = [lookAtPostgres, lookAtRedis, lookAtOutbox];

/** Rows that wait for longer than this have no worker, or one that cannot send them. */
const OLD_MS = MINUTE;

/** Either server is enough to answer something: Postgres everything, Redis what is cached. */
export const createReadiness = (floor: Floor) => async (): Promise<Readiness> => {
  const checks: Checks = Object.assign({}, ...(await Promise.all(LOOKS.map((look) => look(floor)))));
  return { ready: checks.postgres === "ok" || floor.cache.link.usable(), checks };
};

async function lookAtPostgres({ database }: Floor): Promise<Checks> {
  const postgres = await database.ping().then(
    () => "ok",
    () => "does not answer",
  );
  return { postgres };
}

/** Each Redis by its role, and every part that does without one. */
async function lookAtRedis({ conditions, degradations, cache }: Floor): Promise<Checks> {
  await conditions.look();
  const states = degradations.states();
  return { ...states, ...(cache.link.usable() || states.cache !== "ok" ? {} : { cache: "not used: Redis does not answer" }) };
}

async function lookAtOutbox({ outboxOperating }: Floor): Promise<Checks> {
  const outbox = await outboxOperating.state().then(stateOfOutbox, () => "unknown");
  return { outbox };
}

function stateOfOutbox({ setAside, oldestMs }: OutboxState): string {
  const wrongs = [
    ...(setAside > 0 ? [`${setAside} rows are set aside: npm run outbox -- list`] : []),
    ...(oldestMs > OLD_MS ? [`the oldest row waits for ${Math.round(oldestMs / SECOND)} s`] : []),
  ];
  return wrongs.length > 0 ? wrongs.join("; ") : "ok";
}
