/**
 * The price of reading a request: its text, each time, and a new
 * document.
 *
 * Parsing and validating take some 0.6 ms and 7 µs a token (20
 * at the worst). A unit of other work takes some 50 µs. So ten
 * tokens cost a unit.
 */
import { Lexer, Source, TokenKind } from "graphql";

const TOKENS_PER_UNIT = 10;

export const readingPrice = (tokens: number): number => Math.ceil(tokens / TOKENS_PER_UNIT);

/**
 * Parsing and checking JSON takes some 0.1 ms a kilobyte at the
 * worst. A usual request is shorter than a unit.
 */
const BYTES_PER_UNIT = 2 * 1024;

export const textPrice = (bytes: number): number => Math.floor(bytes / BYTES_PER_UNIT);

/**
 * Tokens up to the end, the first error, or `most`, as the parser
 * takes them.
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
