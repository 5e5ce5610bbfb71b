/** What a probe is answered: a list of checks, each with a name and a state in words. A new check is one entry of the list. */
import type { OutboxState } from "../db/outbox-operating.js";
import { MINUTE, SECOND } from "../domain/time.js";
import type { Readiness } from "../server/health.js";
import type { Floor } from "./floor.js";

/** One dependency or job. */
interface Check {
  readonly name: string;
  /** "ok", or what is wrong in words for an operator. */
  state(): Promise<string> | string;
}

/** Rows that wait for longer than this have no worker, or one that cannot send them. */
const OLD_MS = MINUTE;

/** Looks at everything. Either server is enough to answer something: Postgres everything, Redis what is cached. */
export function createReadiness(floor: Floor): () => Promise<Readiness> {
  const { cache } = floor;
  const list = checksOf(floor);
  return async () => {
    const states = await Promise.all(list.map(async ({ name, state }) => [name, await settled(state)] as const));
    const checks = Object.fromEntries(states);
    return { ready: checks.postgres === "ok" || cache.link.usable(), checks };
  };
}

function checksOf({ database, requests, cache, outboxOperating }: Floor): Check[] {
  return [
    { name: "postgres", state: () => answers(database.ping()) },
    { name: "redis", state: () => answers(requests.ping()) },
    { name: "cache", state: () => (cache.link.usable() ? "ok" : "not used: Redis does not answer") },
    { name: "outbox", state: () => outboxOperating.state().then(stateOfOutbox) },
  ];
}

const answers = (question: Promise<unknown>): Promise<string> =>
  question.then(
    () => "ok",
    () => "does not answer",
  );

/** A check that fails is no reason to answer nothing about the others. */
const settled = async (state: Check["state"]): Promise<string> => {
  try {
    return await state();
  } catch {
    return "unknown";
  }
};

function stateOfOutbox({ setAside, oldestMs }: OutboxState): string {
  const wrongs = [
    ...(setAside > 0 ? [`${setAside} rows are set aside: npm run outbox -- list`] : []),
    ...(oldestMs > OLD_MS ? [`the oldest row waits for ${Math.round(oldestMs / SECOND)} s`] : []),
  ];
  return wrongs.length > 0 ? wrongs.join("; ") : "ok";
}
