/**
 * Reads an import from CSV: RFC 4180, header row, UTF-8. Columns
 * in any order; others are ignored.
 *
 * Fields stay bytes until they are known to be UTF-8. So a
 * broken one makes a bad row, not a silent "�". Broken quoting
 * ends the file: every later row boundary would be a guess.
 */
import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { StartupError } from "../domain/errors.js";
import { typed } from "../domain/text.js";
import { IMPORT_COLUMNS, type SourceRow } from "../services/catalogue/import-row.js";
import { BoundedRows, MAX_ROW_BYTES } from "./csv-rows.js";
import { utf8Input } from "./utf8-input.js";

/** Rows handed on at once. */
const CSV_BATCH = 1_000;

interface ParsedRecord {
  readonly record: Buffer[];
  readonly info: { readonly lines: number };
}

/**
 * Batches of rows. A row that spans lines counts as its first.
 * @throws StartupError for a header that lacks a column, or has
 * one twice
 */
export async function* readCsv(bytes: AsyncIterable<Buffer>): AsyncGenerator<SourceRow[]> {
  const rows = new BoundedRows(utf8Input(bytes));
  let header: string[] | null = null;
  let batch: SourceRow[] = [];
  let countedTwice = 0;
  try {
    for await (const { record, info } of parseRows(rows.pieces())) {
      countedTwice += occurrences(record, /\r\n/g);
      const line = info.lines - countedTwice - occurrences(record, /\r\n|\n|\r/g);
      if (header === null) header = readHeader(record);
      else batch.push(toSourceRow(record, header, line));
      batch.push(...rows.takeDropped());
      if (batch.length >= CSV_BATCH) yield batch.splice(0);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    batch.push({
      line: lineOf(error),
      reason: `the file cannot be read from here on: ${explainCsvError(error)}`,
      unreadable: true,
    });
  }
  batch.push(...rows.takeDropped());
  if (header === null && batch.length === 0)
    throw new StartupError("The CSV file is empty: its first line must name the columns.");
  yield batch;
  batch = [];
}

function parseRows(pieces: AsyncIterable<Buffer>): AsyncIterable<ParsedRecord> {
  const parser = parse({
    encoding: null,
    info: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_BYTES,
  });
  const source = Readable.from(pieces, { objectMode: false });
  source.on("error", (error) => parser.destroy(error)).pipe(parser);
  return parser as AsyncIterable<ParsedRecord>;
}

function readHeader(record: readonly Buffer[]): string[] {
  const names = record.map((field) => typed(field.toString()).toLowerCase());
  const missing = IMPORT_COLUMNS.filter((column) => !names.includes(column));
  if (missing.length > 0)
    throw new StartupError(
      `The CSV file has no column ${missing.join(", ")}. Its first line must name ` +
        `${IMPORT_COLUMNS.join(", ")}, separated by commas.`,
    );
  // Columns without a name are ignored, however many there
  // are.
  const repeated = names.filter((name, index) => name !== "" && names.indexOf(name) < index);
  if (repeated.length > 0)
    throw new StartupError(
      `The CSV file names the column ${JSON.stringify(repeated[0])} twice. Remove or rename one ` +
        "of the two.",
    );
  return names;
}

function toSourceRow(
  record: readonly Buffer[],
  header: readonly string[],
  line: number,
): SourceRow {
  if (record.length !== header.length)
    return { line, reason: `has ${record.length} fields where the header has ${header.length}` };
  const broken = record.findIndex((field) => !isUtf8(field));
  if (broken >= 0) return { line, reason: `${header[broken]} is not valid UTF-8` };
  return {
    line,
    values: Object.fromEntries(record.map((field, index) => [header[index], field.toString()])),
  };
}

/**
 * How often a pattern occurs in a record. The parser reports the
 * line where a record ends, and counts CRLF within quotes twice.
 * The line breaks inside a record give the line where it began.
 */
const occurrences = (record: readonly Buffer[], pattern: RegExp): number =>
  record.reduce((sum, field) => sum + (field.toString("latin1").match(pattern)?.length ?? 0), 0);

const lineOf = (error: CsvError): number =>
  Number((error as CsvError & { lines?: number }).lines ?? 0);
const explainCsvError = (error: CsvError): string =>
  error.code === "CSV_MAX_RECORD_SIZE"
    ? "a row is longer than 256 KB, or a quote is not closed"
    : "a quote is in the wrong place or not closed";
