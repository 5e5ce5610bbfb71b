import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Coding } from "./stored-answer.js";

/** Higher ones take far longer for little: an answer may change soon. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

/** Compresses in a thread of the pool. */
export const compress = (bytes: Buffer, coding: Coding): Promise<Buffer> =>
  coding === "br" ? promisify(brotliCompress)(bytes, BROTLI) : promisify(gzip)(bytes);
