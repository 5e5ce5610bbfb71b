/**
 * What it costs to read a request: its text, each time, and a document that is not known yet.
 * Parsing and validating take some 0.6 ms and 7 µs a token, at the worst 20, where a unit of other
 * work takes some 50 µs: so ten tokens cost a unit.
 */
import { Lexer, Source, TokenKind } from "graphql";

const TOKENS_PER_UNIT = 10;

/** The price of reading so many tokens. */
export const readingPrice = (tokens: number): number => Math.ceil(tokens / TOKENS_PER_UNIT);

/**
 * Parsing the JSON of a request and checking its values takes some 0.1 ms a kilobyte at the worst.
 * A usual request is shorter than a unit of it.
 */
const BYTES_PER_UNIT = 2 * 1024;

/** The price of a text of so many bytes, whatever it holds. */
export const textPrice = (bytes: number): number => Math.floor(bytes / BYTES_PER_UNIT);

/**
 * The tokens of a source up to its end, its first error, or `most`: as many as the parser takes at
 * most.
 */
export function countTokens(source: string, most: number): number {
  const lexer = new Lexer(new Source(source));
  let count = 0;
  try {
    while (count < most && lexer.advance().kind !== TokenKind.EOF) count += 1;
  } catch {
    // The parser stops there as well.
    count += 1;
  }
  return count;
}
