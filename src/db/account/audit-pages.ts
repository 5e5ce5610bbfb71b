/**
 * Pages of the audit log, latest first. Rows are numbered as
 * they are written, so the id is the order. Each filter walks
 * an index of its own.
 */
import { type SQL, sql } from "drizzle-orm";
import { type AuditFilter, type AuditRecord, isAuditEvent } from "../../domain/account/audit.js";
import type { PageRequest, RecordPage } from "../../domain/page.js";
import { boundedCount } from "../client/bounded-count.js";
import type { Database } from "../client/database.js";
import type { Row } from "../client/row.js";
import { columnList } from "../client/statements.js";
import type { auditLog } from "../schema/account.js";

export interface AuditPages {
  /**
   * Positions are ids. Entries with an event that this
   * release does not know have no record. One statement.
   */
  page(filter: AuditFilter, page: PageRequest): Promise<RecordPage<AuditRecord>>;
  /** Null beyond MAX_COUNTED_ROWS. One statement. */
  count(filter: AuditFilter): Promise<number | null>;
}

const AUDIT_COLUMNS = [
  ...["id", "at", "event", "count", "user_id", "by_service", "by_user_id"],
  ...["session_id", "ip", "device", "request_id", "detail"],
];

export function createAuditPages(database: Database): AuditPages {
  return {
    async page(filter, request) {
      const found = await database.query<Row<typeof auditLog>>(auditPageStatement(filter, request));
      const rows = found.slice(0, request.limit);
      return {
        rows: rows.map(({ id }) => ({ value: id, id })),
        hasNextPage: found.length > request.limit,
        records: new Map(rows.flatMap(toRecord)),
      };
    },
    count: (filter) =>
      boundedCount(database, sql`SELECT id ${auditWalk(filter, Number.MAX_SAFE_INTEGER)}`),
  };
}

/** The rows of a page and one more, in order. */
export const auditPageStatement = (filter: AuditFilter, { limit, after }: PageRequest): SQL => sql`
  SELECT ${columnList(AUDIT_COLUMNS)} ${auditWalk(filter, after?.id ?? Number.MAX_SAFE_INTEGER)}
  LIMIT ${limit + 1}::bigint`;

/**
 * The range of one index, from behind an id down. Stated by
 * equal values, the planner might walk all ids instead. That
 * is slow where all that is wanted is old.
 */
function auditWalk({ userId, event }: AuditFilter, beforeId: number): SQL {
  const filters = [
    ...(userId === undefined ? [] : [{ column: "user_id", value: sql`${userId}::bigint` }]),
    ...(event === undefined ? [] : [{ column: "event", value: sql`${event}::text` }]),
  ];
  const values = filters.map(({ value }) => value);
  const columns = filters.map(({ column }) => sql.raw(column));
  const key = [...columns, sql.raw("id")];
  const from = columns.length > 0 ? sql`${tuple(columns)} >= ${tuple(values)} AND` : sql``;
  return sql`FROM audit_log
    WHERE ${from} ${tuple(key)} < ${tuple([...values, sql`${beforeId}::bigint`])}
    ORDER BY ${sql.join(
      key.map((column) => sql`${column} DESC`),
      sql`, `,
    )}`;
}

const tuple = (parts: readonly SQL[]): SQL => sql`(${sql.join([...parts], sql`, `)})`;

function toRecord({ id, event, ...row }: Row<typeof auditLog>): [number, AuditRecord][] {
  if (!isAuditEvent(event)) return [];
  const { count, ip, device, detail } = row;
  return [
    [
      id,
      {
        ...{ event, count, ip, device, detail, at: row.at.toISOString() },
        ...{ userId: row.user_id, byService: row.by_service, byUserId: row.by_user_id },
        ...{ sessionId: row.session_id, requestId: row.request_id },
      },
    ],
  ];
}
