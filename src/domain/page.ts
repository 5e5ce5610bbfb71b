/**
 * Keyset pages: a page starts after a *position* (sort value
 * and id of the last row), not after a count of rows. So rows
 * inserted meanwhile neither repeat nor hide others. Source:
 * Relay cursor connections.
 */
import { createHash } from "node:crypto";
import { BadUserInput } from "./errors.js";

/** Bounds of `first`. */
export const PAGE_SIZE = { min: 1, max: 100, default: 20 } as const;

/**
 * Place of a row in its list: the value of its sort (a number
 * or a string), and its id as the tie-break.
 */
export interface Position {
  readonly value: number | string;
  readonly id: number;
}

/**
 * At most `limit` rows after a position, from the start when
 * `after` is null.
 */
export interface PageRequest {
  readonly limit: number;
  readonly after: Position | null;
}

/**
 * A page of ids with the position of each. Entities are read
 * by id, so that no list holds a stale entity.
 */
export interface IdPage {
  readonly rows: readonly Position[];
  readonly hasNextPage: boolean;
}

/** A page whose records were read with it; some may be left out. */
export interface RecordPage<Record> extends IdPage {
  /** By the id of their row. */
  readonly records: ReadonlyMap<number, Record>;
}

/**
 * Longest list that is counted, where lists have no bound of
 * their own: a count reads each of its rows.
 */
export const MAX_COUNTED_ROWS = 10_000;

/**
 * Checks `first`; an explicit null means the default. Throws
 * BadUserInput outside 1..100.
 */
export function pageSize(first: number | null | undefined): number {
  const size = first ?? PAGE_SIZE.default;
  if (!Number.isInteger(size) || size < PAGE_SIZE.min || size > PAGE_SIZE.max) {
    throw new BadUserInput(
      `first must be between ${PAGE_SIZE.min} and ${PAGE_SIZE.max}, not ${size}.`,
      ["first"],
    );
  }
  return size;
}

/**
 * Encodes a position as an opaque cursor, bound to its list.
 * @param list the list and its order, e.g.
 * `products:PRICE_ASC`; a cursor of another list is refused
 */
export function encodeCursor(list: string, { value, id }: Position): string {
  const body = JSON.stringify([value, id]);
  return Buffer.from(`${checksum(list, body)}${body}`).toString("base64url");
}

/**
 * Decodes a cursor of `list`; null or undefined is the start.
 * Throws BadUserInput for any other text.
 */
export function decodeCursor(list: string, cursor: string | null | undefined): Position | null {
  if (cursor === null || cursor === undefined) return null;
  const position = readCursor(list, cursor);
  if (!position) {
    throw new BadUserInput(
      "after is not a cursor of this list. Use a cursor from its edges or pageInfo, with the " +
        "same filter and sort.",
      ["after"],
    );
  }
  return position;
}

/** The position of a cursor of `list`; null for any other text. */
export function readCursor(list: string, cursor: string): Position | null {
  const position =
    cursor.length <= MAX_CURSOR_LENGTH
      ? parseCursor(list, Buffer.from(cursor, "base64url").toString("utf8"))
      : null;
  return position && encodeCursor(list, position) === cursor ? position : null;
}

/** Whether a text has the form of a cursor, of any list. */
export function isCursor(text: string): boolean {
  if (text.length > MAX_CURSOR_LENGTH) return false;
  const bytes = Buffer.from(text, "base64url");
  return (
    bytes.toString("base64url") === text &&
    bodyOf(bytes.toString("utf8").slice(CHECKSUM_LENGTH)) !== null
  );
}

/**
 * A position holds one value, at most the name of a brand;
 * longer input is no cursor.
 */
const MAX_CURSOR_LENGTH = 1_024;
const CHECKSUM_LENGTH = 8;

/**
 * Separates a cursor of another list, or a damaged one. Not a
 * secret: a position gives no access.
 */
function checksum(list: string, body: string): string {
  return createHash("sha256").update(`${list}\n${body}`).digest("hex").slice(0, CHECKSUM_LENGTH);
}

function parseCursor(list: string, text: string): Position | null {
  const body = text.slice(CHECKSUM_LENGTH);
  return text.slice(0, CHECKSUM_LENGTH) === checksum(list, body) ? bodyOf(body) : null;
}

function bodyOf(body: string): Position | null {
  try {
    const [value, id] = JSON.parse(body) as [unknown, unknown];
    const valueIsOurs = typeof value === "string" || Number.isSafeInteger(value);
    return valueIsOurs && Number.isSafeInteger(id)
      ? { value: value as number | string, id: id as number }
      : null;
  } catch {
    return null;
  }
}
