/**
 * The beginning of a file to import. A UTF-8 byte-order mark is
 * dropped; other encodings are refused. Spreadsheets write such
 * marks, and some write UTF-16.
 */
import { StartupError } from "../domain/errors.js";

/** Enough to hold the first column's name in any encoding. */
const HEAD_BYTES = 64;
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** Longer marks first: that of UTF-32 begins like that of UTF-16. */
const FOREIGN_MARKS = [
  ["UTF-32", [0xff, 0xfe, 0x00, 0x00]],
  ["UTF-32", [0x00, 0x00, 0xfe, 0xff]],
  ["UTF-16", [0xff, 0xfe]],
  ["UTF-16", [0xfe, 0xff]],
] as const;

/**
 * The bytes after the mark.
 * @throws StartupError for a file in another encoding
 */
export async function* utf8Input(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of bytes) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < HEAD_BYTES) continue;
    yield withoutMark(head);
    head = null;
  }
  if (head) yield withoutMark(head);
}

function withoutMark(head: Buffer): Buffer {
  const foreign = FOREIGN_MARKS.find(([, mark]) =>
    head.subarray(0, mark.length).equals(Buffer.from(mark)),
  );
  if (foreign)
    throw new StartupError(
      `The file is in ${foreign[0]}, and only UTF-8 can be imported. ${REMEDY}`,
    );
  if (head.subarray(0, HEAD_BYTES).includes(0))
    throw new StartupError(
      `The file is no text in UTF-8: it begins like UTF-16, UTF-32 or a binary format. ${REMEDY}`,
    );
  return head.subarray(0, UTF8_MARK.length).equals(UTF8_MARK)
    ? head.subarray(UTF8_MARK.length)
    : head;
}

const REMEDY =
  'Save it as UTF-8 ("CSV UTF-8" in a spreadsheet), or convert it: iconv -f UTF-16 -t UTF-8 ' +
  "FILE > NEW. Nothing was imported.";
