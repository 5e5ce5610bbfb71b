/**
 * Health of the workers behind an API: whether there
 * is one, and whether its jobs succeed.
 */
import { z } from "zod";
import type { WorkerRow } from "../db/workers.js";
import { seconds, troubleOf } from "../domain/telemetry/job.js";
import { SECOND } from "../domain/time/time.js";

/** A worker that misses so many beats is gone. */
const MISSED_BEATS = 3;
/** A beat may wait this long for Postgres. */
const SLACK_MS = 4 * SECOND;
/** A probe is read by people. */
const MAX_TROUBLES = 5;

const MS = z.number();
const JOBS = z.array(
  z.object({
    job: z.string(),
    failures: z.number(),
    failuresTotal: z.number(),
    sinceSuccessMs: MS,
    failingMs: MS.nullable(),
    runningMs: MS.nullable(),
  }),
);

/** Workers that run. */
export const aliveOf = (rows: readonly WorkerRow[]): WorkerRow[] =>
  rows.filter(({ silentMs, everyMs }) => silentMs <= MISSED_BEATS * everyMs + SLACK_MS);

/**
 * "ok", or what is wrong with the workers in words for
 * an operator. @param rows the latest beat first
 */
export function stateOfWorkers(rows: readonly WorkerRow[]): string {
  const alive = aliveOf(rows);
  const [latest] = rows;
  if (!latest) return "none has been seen";
  if (alive.length === 0) return `none seen for ${seconds(latest.silentMs)}`;
  const troubles = alive.flatMap(troublesOf);
  const more = troubles.length > MAX_TROUBLES ? [`and ${troubles.length - MAX_TROUBLES} more`] : [];
  return troubles.length === 0 ? "ok" : [...troubles.slice(0, MAX_TROUBLES), ...more].join("; ");
}

function troublesOf({ host, pid, silentMs, jobs }: WorkerRow): string[] {
  const read = JOBS.safeParse(jobs);
  if (!read.success) return [];
  return read.data.flatMap((state) => {
    const trouble = troubleOf({
      ...state,
      failingMs: state.failingMs === null ? null : state.failingMs + silentMs,
    });
    return trouble === null ? [] : [`${trouble} (${host}, process ${pid})`];
  });
}
