/**
 * The workers: a row for each process that beats. All times
 * are by the clock of Postgres, so clocks of processes do not
 * matter. A worker that stops removes its row. Beats of
 * others delete rows of dead ones.
 */
import { sql } from "drizzle-orm";
import type { JobState } from "../domain/telemetry/job.js";
import { MINUTE } from "../domain/time/time.js";
import type { Executor } from "./client/database.js";
import type { Row } from "./client/row.js";
import type { workers } from "./schema/worker.js";

export interface Beat {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** How long the process has run. */
  readonly upMs: number;
  /** Until its next beat. */
  readonly everyMs: number;
  readonly jobs: readonly JobState[];
}

/** A worker as of its last beat. */
export interface WorkerRow {
  readonly host: string;
  readonly pid: number;
  readonly everyMs: number;
  /** Since its last beat. */
  readonly silentMs: number;
  /** As it was written, perhaps by another release. */
  readonly jobs: unknown;
}

export type WorkerTable = ReturnType<typeof createWorkerTable>;

/** Longer than any outage that a worker survives. */
const DEAD_MS = 10 * MINUTE;
/** Bound of one read. */
const MAX_WORKERS = 1_000;

export function createWorkerTable(database: Executor) {
  return {
    /** Writes a beat, and deletes rows of dead workers. One statement. */
    async beat({ id, host, pid, upMs, everyMs, jobs }: Beat): Promise<void> {
      await database.query(sql`
        WITH dead AS (DELETE FROM workers WHERE id IN (
          SELECT id FROM workers
          WHERE id <> ${id}
            AND beat_at < clock_timestamp() - ${DEAD_MS}::float8 * interval '1 millisecond'
          FOR UPDATE SKIP LOCKED))
        INSERT INTO workers (id, host, pid, beat_ms, jobs, started_at, beat_at)
        VALUES (${id}, ${host}, ${pid}::bigint, ${everyMs}::bigint, ${JSON.stringify(jobs)}::jsonb,
          clock_timestamp() - ${upMs}::float8 * interval '1 millisecond', clock_timestamp())
        ON CONFLICT (id) DO UPDATE
          SET beat_at = clock_timestamp(), beat_ms = excluded.beat_ms, jobs = excluded.jobs`);
    },
    /** Deletes the row of a worker that stops. */
    async leave(id: string): Promise<void> {
      await database.query(sql`DELETE FROM workers WHERE id = ${id}`);
    },
    /** All workers with a row, the latest beat first. */
    async seen(): Promise<WorkerRow[]> {
      const rows = await database.query<
        Row<typeof workers, "host" | "pid" | "beat_ms" | "jobs"> & { silent_ms: number }
      >(sql`
        SELECT host, pid, beat_ms, jobs,
          (extract(epoch FROM clock_timestamp() - beat_at) * 1000)::float8 AS silent_ms
        FROM workers ORDER BY beat_at DESC LIMIT ${MAX_WORKERS}`);
      return rows.map(({ host, pid, beat_ms, silent_ms, jobs }) => ({
        host,
        pid,
        everyMs: beat_ms,
        silentMs: Math.max(0, silent_ms),
        jobs,
      }));
    },
  };
}
