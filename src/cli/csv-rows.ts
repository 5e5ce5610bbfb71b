/**
 * Bounds the bytes and the fields of CSV rows before they are
 * parsed. A row of four million empty fields would cost the
 * parser four million fields.
 *
 * Rows are passed on whole. One that is too long is dropped. Its
 * line break is passed on, so the parser's line numbers stay
 * right. A quote in it may be the fault, which makes every later
 * boundary a guess: the input ends there.
 */
import { StartupError } from "../domain/errors.js";

/** A longer row is usually a quote that is not closed. */
export const MAX_ROW_BYTES = 256 * 1024;
/** More columns than any spreadsheet of products has. */
export const MAX_FIELDS = 1_000;

const [QUOTE, COMMA, NEWLINE, RETURN] = [0x22, 0x2c, 0x0a, 0x0d];

/**
 * A row that was dropped. `unreadable`: nothing behind it was
 * read.
 */
export interface DroppedRow {
  readonly line: number;
  readonly reason: string;
  readonly unreadable: boolean;
}

/** Rows within the bounds, in the pieces they come in. */
export class BoundedRows {
  private dropped: DroppedRow[] = [];
  /** The beginning of a row whose end has not come yet. */
  private held: Buffer[] = [];
  private row = { line: 1, bytes: 0, commas: 0, hasQuote: false, isOpen: false, isDropped: false };
  private line = 1;
  private previous = 0;
  private isFirst = true;

  constructor(private readonly bytes: AsyncIterable<Buffer>) {}

  /**
   * Whole rows. @throws StartupError when the first one, the
   * header, is too long
   */
  async *pieces(): AsyncGenerator<Buffer> {
    for await (const chunk of this.bytes) {
      yield* this.take(chunk);
      if (this.dropped.at(-1)?.unreadable) return;
    }
    yield* this.held;
  }

  /** Rows dropped since the last call. */
  takeDropped(): DroppedRow[] {
    return this.dropped.splice(0);
  }

  private *take(chunk: Buffer): Generator<Buffer> {
    let [from, wholeTo] = [0, 0];
    for (let at = 0; at < chunk.length; at++) {
      const ends = this.count(chunk[at] ?? 0);
      if (ends) {
        if (this.row.isDropped) from = at;
        wholeTo = at + 1;
        this.beginRow();
      } else if (!this.row.isDropped && this.isTooLong()) {
        yield* this.whole(chunk.subarray(from, wholeTo));
        this.drop();
        if (this.dropped.at(-1)?.unreadable) return;
        [from, wholeTo] = [chunk.length, chunk.length];
      }
    }
    yield* this.whole(chunk.subarray(from, wholeTo));
    if (!this.row.isDropped) this.held.push(chunk.subarray(wholeTo));
  }

  /** Passes on what is held, once its row has ended. */
  private *whole(rows: Buffer): Generator<Buffer> {
    if (rows.length === 0) return;
    yield* this.held.splice(0);
    yield rows;
  }

  /** Counts a byte. True when it ends the row. */
  private count(byte: number): boolean {
    const { row } = this;
    const isBreak = byte === RETURN || byte === NEWLINE;
    if (isBreak && !(byte === NEWLINE && this.previous === RETURN)) this.line++;
    this.previous = byte;
    row.bytes++;
    if (byte === QUOTE) {
      row.isOpen = !row.isOpen;
      row.hasQuote = true;
    } else if (byte === COMMA && !row.isOpen) row.commas++;
    return isBreak && !row.isOpen;
  }

  private isTooLong(): boolean {
    return this.row.bytes > MAX_ROW_BYTES || this.row.commas >= MAX_FIELDS;
  }

  private beginRow(): void {
    if (this.row.bytes > 1) this.isFirst = false;
    this.row = {
      line: this.line,
      bytes: 0,
      commas: 0,
      hasQuote: false,
      isOpen: false,
      isDropped: false,
    };
  }

  private drop(): void {
    const { line, commas, hasQuote } = this.row;
    const excess =
      commas >= MAX_FIELDS
        ? `more than ${MAX_FIELDS} fields`
        : `more than ${MAX_ROW_BYTES / 1024} KB`;
    if (this.isFirst)
      throw new StartupError(
        `The first line of the CSV file has ${excess}. It must name the columns, and no ` +
          "others are needed.",
      );
    const reason = hasQuote
      ? `the file cannot be read from here on: a row has ${excess}, or a quote is not closed`
      : `has ${excess}`;
    this.dropped.push({ line, reason, unreadable: hasQuote });
    this.row.isDropped = true;
    this.held = [];
  }
}
