/**
 * Reads an import from NDJSON: one JSON object a line, UTF-8.
 * Another line is a bad row; reading goes on behind it.
 */
import { isUtf8 } from "node:buffer";
import type { SourceRow } from "../services/catalogue/import-row.js";
import { utf8Input } from "./utf8-input.js";

/** Rows handed on at once. */
const NDJSON_BATCH = 1_000;
/** A longer line is no product; it is skipped without being kept. */
const MAX_LINE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Batches of rows. Blank lines are left out. */
export async function* readNdjson(bytes: AsyncIterable<Buffer>): AsyncGenerator<SourceRow[]> {
  let batch: SourceRow[] = [];
  let number = 0;
  for await (const line of lines(utf8Input(bytes))) {
    number++;
    const row =
      line === null ? { line: number, reason: "is longer than 256 KB" } : parseRow(number, line);
    if (row) batch.push(row);
    if (batch.length >= NDJSON_BATCH) {
      yield batch;
      batch = [];
    }
  }
  yield batch;
}

function parseRow(line: number, bytes: Buffer): SourceRow | null {
  if (!isUtf8(bytes)) return { line, reason: "is not valid UTF-8" };
  const text = bytes.toString().trim();
  if (text === "") return null;
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values !== "object" || values === null || Array.isArray(values))
      return { line, reason: "is not a JSON object" };
    const repeated = repeatedKey(text);
    if (repeated !== null)
      return {
        line,
        reason: `has the key ${JSON.stringify(repeated).slice(0, MAX_SHOWN_KEY)} twice`,
      };
    return { line, values: values as Record<string, unknown> };
  } catch {
    return { line, reason: "is not valid JSON" };
  }
}

const MAX_SHOWN_KEY = 40;
/**
 * Strings, each with the colon that makes it a key, and
 * brackets.
 */
const KEYS_AND_BRACKETS = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g;

/**
 * A key that an object has twice, where JSON.parse keeps the
 * last; null without one. Takes valid JSON.
 */
export function repeatedKey(json: string): string | null {
  const keys = new Set<string>();
  let depth = 0;
  for (const [token, quoted, colon] of json.matchAll(KEYS_AND_BRACKETS)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    if (!quoted || !colon || depth !== 1) continue;
    const key = JSON.parse(quoted) as string;
    if (keys.has(key)) return key;
    keys.add(key);
  }
  return null;
}

/** Lines without their end; null for one that is too long. */
async function* lines(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer | null> {
  let pieces: Buffer[] = [];
  let length = 0;
  const keep = (piece: Buffer): void => {
    length += piece.length;
    if (length > MAX_LINE_BYTES) pieces = [];
    else pieces.push(piece);
  };
  const take = (): Buffer | null => {
    const line = length > MAX_LINE_BYTES ? null : Buffer.concat(pieces);
    pieces = [];
    length = 0;
    return line;
  };
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (length > 0) yield take();
}
