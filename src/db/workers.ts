/**
 * The workers: a row for each process that beats. All instants are by the clock of Postgres, so
 * that no process's own clock matters. A worker that stops removes its row; that of one that died
 * is deleted by the beats of others.
 */
import { sql } from "drizzle-orm";
import type { JobState } from "../domain/telemetry/job.js";
import { MINUTE } from "../domain/time/time.js";
import type { Executor } from "./client/database.js";
import type { Row } from "./client/row.js";
import type { workers } from "./schema/worker.js";

/** What a worker reports with each beat. */
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

/** A worker as it was last seen. */
export interface WorkerRow {
  readonly host: string;
  readonly pid: number;
  readonly everyMs: number;
  /** Since its last beat. */
  readonly silentMs: number;
  /** As it was written; of another release perhaps. */
  readonly jobs: unknown;
}

/** The workers. */
export type WorkerTable = ReturnType<typeof createWorkerTable>;

/** Longer than any outage that a worker survives needs to be remembered. */
const DEAD_MS = 10 * MINUTE;
/** Rows that one question reads. */
const MAX_WORKERS = 1_000;

/** The workers of one database. */
export function createWorkerTable(database: Executor) {
  return {
    /** Notes that a worker runs, and deletes rows of dead ones. One statement. */
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
    /** Forgets a worker that stops. */
    async leave(id: string): Promise<void> {
      await database.query(sql`DELETE FROM workers WHERE id = ${id}`);
    },
    /** Every worker there is a row of, the latest beat first. */
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
