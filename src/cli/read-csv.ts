/**
 * Reads an import from CSV (RFC 4180, header row, UTF-8): columns in any order, others ignored.
 *
 * Fields stay bytes until they are known to be UTF-8, so that a broken one is a bad row and not a silent "�". Broken quoting makes
 * every row boundary behind it a guess, so it ends the file instead of dropping rows that nobody hears of.
 */
import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { StartupError } from "../domain/errors.js";
import { IMPORT_COLUMNS, type SourceRow } from "../services/import-row.js";

/** Rows handed on at once. */
const BATCH = 1_000;
/** A longer record is an unclosed quote. */
const MAX_RECORD_BYTES = 256 * 1024;

interface Parsed {
  readonly record: Buffer[];
  readonly info: { readonly lines: number };
}

/** Batches of rows. A row that spans lines counts as its first. @throws StartupError when the header lacks a column */
export async function* readCsv(bytes: AsyncIterable<Buffer>): AsyncGenerator<SourceRow[]> {
  const parser = parse({
    bom: true,
    encoding: null,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_BYTES,
  });
  const source = Readable.from(bytes, { objectMode: false });
  source.on("error", (error) => parser.destroy(error)).pipe(parser);
  let header: string[] | null = null;
  let batch: SourceRow[] = [];
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      if (header === null) header = readHeader(record);
      else batch.push(toRow(record, header, info.lines - newlines(record)));
      if (batch.length >= BATCH) yield batch.splice(0);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    batch.push({ line: lineOf(error), reason: `the file cannot be read from here on: ${explain(error)}`, unreadable: true });
  }
  if (header === null && batch.length === 0) throw new StartupError("The CSV file is empty: its first line must name the columns.");
  yield batch;
  batch = [];
}

function readHeader(record: readonly Buffer[]): string[] {
  const names = record.map((field) => field.toString().trim().toLowerCase());
  const missing = IMPORT_COLUMNS.filter((column) => !names.includes(column));
  if (missing.length > 0)
    throw new StartupError(`The CSV file has no column ${missing.join(", ")}. Its first line must name ${IMPORT_COLUMNS.join(", ")}.`);
  return names;
}

function toRow(record: readonly Buffer[], header: readonly string[], line: number): SourceRow {
  if (record.length !== header.length) return { line, reason: `has ${record.length} fields where the header has ${header.length}` };
  const broken = record.findIndex((field) => !isUtf8(field));
  if (broken >= 0) return { line, reason: `${header[broken]} is not valid UTF-8` };
  return { line, values: Object.fromEntries(record.map((field, index) => [header[index], field.toString()])) };
}

/** The parser tells where a record ends; the line breaks inside it tell where it began. */
const newlines = (record: readonly Buffer[]): number =>
  record.reduce((sum, field) => sum + (field.includes(0x0a) ? field.toString("latin1").split("\n").length - 1 : 0), 0);

const lineOf = (error: CsvError): number => Number((error as CsvError & { lines?: number }).lines ?? 0);
const explain = (error: CsvError): string =>
  error.code === "CSV_MAX_RECORD_SIZE"
    ? "a row is longer than 256 KB, or a quote is not closed"
    : "a quote is in the wrong place or not closed";
