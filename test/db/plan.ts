/** What a statement reads, as EXPLAIN (ANALYZE) counts it. */
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../src/db/client/database.js";

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Heap Fetches"?: number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Runs a statement; resolves to the plan it was run by. */
export async function planOf(database: Database, statement: SQL): Promise<PlanNode> {
  const [row] = await database.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
    sql`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`,
  );
  const [{ Plan: plan } = { Plan: undefined }] = row?.["QUERY PLAN"] ?? [];
  if (!plan) throw new Error("EXPLAIN answered no plan.");
  return plan;
}

/**
 * What a node took from the table, used or not; a bitmap's index scans count where they saw more
 * than the table did, and what an index answers alone counts where the table was asked all the
 * same. EXPLAIN rounds the average of several loops, so half a row a loop is given back.
 */
export function rowsReadBy(
  node: PlanNode,
  table: string,
  { indexesToo } = { indexesToo: false },
): number {
  const loops = node["Actual Loops"];
  const parts = [
    node["Actual Rows"],
    node["Rows Removed by Filter"] ?? 0,
    node["Rows Removed by Index Recheck"] ?? 0,
  ];
  const own =
    parts.reduce((sum, rows) => sum + (loops > 1 ? Math.max(0, rows - 0.5) : rows), 0) * loops;
  if (node["Node Type"] === "Index Only Scan" && !indexesToo)
    return Math.min(own, node["Heap Fetches"] ?? own);
  const below = (node.Plans ?? []).reduce(
    (sum, plan) => sum + rowsReadBy(plan, table, { indexesToo }),
    0,
  );
  if (node["Node Type"] === "Bitmap Index Scan") return own;
  return node["Relation Name"] === table ? Math.max(own, below) : below;
}
