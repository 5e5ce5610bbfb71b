/**
 * Imports products in bulk, all or nothing: one
 * transaction from the first row to the last. An
 * interrupted import, or one with a bad row, leaves
 * the catalogue as it was.
 *
 * One tag invalidates all cached lists and products. One
 * event makes all processes reload watched values. A hundred
 * thousand rows cost one outbox row and one publication.
 */

import { openStaging, type Staging } from "../../db/catalogue/import.js";
import type { Database, Tx } from "../../db/client/database.js";
import type { OutboxTable } from "../../db/outbox.js";
import type { CurrencyCode } from "../../domain/catalogue/money.js";
import { CATALOGUE_TAG } from "../../domain/catalogue/tags.js";
import { CATALOGUE_TOPIC } from "../../domain/events/events.js";
import { changeEntry } from "../../domain/events/outbox.js";
import { readImportRow, type SourceRow } from "./import-row.js";

export interface ImportDeps {
  readonly database: Database;
  readonly outbox: OutboxTable;
  readonly currency: CurrencyCode;
}

export interface ImportOptions {
  /** Imports the good rows even where others are bad. */
  readonly skipBad: boolean;
  /**
   * Called after every batch with the rows read so far.
   * Called once when the merge begins.
   */
  readonly onProgress?: (rows: number, phase: "reading" | "merging") => void;
}

/** A row that was not imported, and why. */
export interface BadImportRow {
  readonly line: number;
  readonly reason: string;
}

export interface ImportReport {
  /** False when bad rows kept everything out. */
  readonly imported: boolean;
  readonly rows: number;
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly badCount: number;
  /** The first {@link SHOWN_BAD_ROWS} found, by line. */
  readonly bad: readonly BadImportRow[];
}

/**
 * More are only counted: many mistakes in one file are
 * usually the same.
 */
export const SHOWN_BAD_ROWS = 100;

/** Rolls the transaction back. */
class RolledBack extends Error {}

/**
 * Imports from batches of rows. Rejects when the source or
 * the database fails; nothing was imported then.
 */
export async function importCatalogue(
  deps: ImportDeps,
  source: AsyncIterable<readonly SourceRow[]>,
  options: ImportOptions,
): Promise<ImportReport> {
  const found = new BadRows();
  const progress = { rows: 0 };
  const nothing = { created: 0, changed: 0, unchanged: 0 };
  const report = (counts: typeof nothing, imported: boolean): ImportReport => ({
    imported,
    ...progress,
    ...counts,
    badCount: found.count,
    bad: found.shown(),
  });
  try {
    const counts = await deps.database.transaction(
      async (tx) => {
        const staging = await openStaging(tx);
        await collect(staging, source, { ...options, deps, found, progress });
        if (found.unreadable || (found.count > 0 && !options.skipBad)) throw new RolledBack();
        options.onProgress?.(progress.rows, "merging");
        return mergeAndTell(tx, staging, deps.outbox);
      },
      { patient: true, once: true },
    );
    return report(counts, true);
  } catch (error) {
    if (error instanceof RolledBack) return report(nothing, false);
    throw error;
  }
}

interface Collecting extends ImportOptions {
  readonly deps: ImportDeps;
  readonly found: BadRows;
  readonly progress: { rows: number };
}

async function collect(
  staging: Staging,
  source: AsyncIterable<readonly SourceRow[]>,
  { deps, found, progress, onProgress }: Collecting,
): Promise<void> {
  for await (const batch of source) {
    const rows = batch.map((row) =>
      "reason" in row
        ? row
        : { line: row.line, row: readImportRow(row.line, row.values, deps.currency) },
    );
    await staging.add(
      rows.flatMap((read) => ("row" in read && typeof read.row !== "string" ? [read.row] : [])),
    );
    for (const read of rows) {
      if ("reason" in read) found.add(read.line, read.reason, read.unreadable);
      else if (typeof read.row === "string") found.add(read.line, read.row);
    }
    progress.rows += batch.length;
    onProgress?.(progress.rows, "reading");
  }
  const { count, first } = await staging.dropDuplicates();
  for (const { line, sku, earlier } of first)
    found.add(line, `sku ${JSON.stringify(sku)} is already on line ${earlier}`);
  found.count += count - first.length;
}

async function mergeAndTell(tx: Tx, staging: Staging, outbox: OutboxTable) {
  const counts = await staging.merge();
  // All watchers reload. Redis could list the watched
  // products, but only as of before the commit.
  if (counts.created + counts.changed > 0)
    await outbox.append(tx, [
      changeEntry({ tags: [CATALOGUE_TAG], events: [{ topic: CATALOGUE_TOPIC, version: 0 }] }),
    ]);
  return counts;
}

/** Counts bad rows and keeps the first ones. */
class BadRows {
  count = 0;
  unreadable = false;
  private readonly kept: BadImportRow[] = [];

  add(line: number, reason: string, unreadable = false): void {
    this.count++;
    this.unreadable ||= unreadable;
    if (this.kept.length < SHOWN_BAD_ROWS || unreadable) this.kept.push({ line, reason });
  }

  shown(): BadImportRow[] {
    return this.kept.sort((a, b) => a.line - b.line);
  }
}
