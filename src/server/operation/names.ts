/**
 * Bounds names before a document is parsed: an answer repeats an
 * alias once per object, and graphql-js quotes names whole.
 *
 * Every 129th character is checked for a candidate. The lexer
 * then separates names from words in strings and comments.
 */
import { Lexer, Source, type Token, TokenKind } from "graphql";
import { BadUserInput, NameTooLong } from "../../domain/errors.js";

/** Of a name, a key of JSON, or an operation id. */
export const MAX_NAME_CHARACTERS = 128;

/** Throws NameTooLong. O(characters). */
export function refuseLongNames(document: string): void {
  if (!holdsLongWord(document)) return;
  const name = findLongName(document);
  if (name) throw new NameTooLong(MAX_NAME_CHARACTERS, name);
}

/**
 * Whether a run of word characters is too long: it covers a
 * multiple of its length.
 */
function holdsLongWord(text: string): boolean {
  for (let at = MAX_NAME_CHARACTERS; at < text.length; at += MAX_NAME_CHARACTERS + 1) {
    let [start, end] = [at, at];
    while (end - start <= MAX_NAME_CHARACTERS && isWord(text.charCodeAt(end))) end++;
    // Outside a word none begins here.
    while (end > at && end - start <= MAX_NAME_CHARACTERS && isWord(text.charCodeAt(start - 1)))
      start--;
    if (end - start > MAX_NAME_CHARACTERS) return true;
  }
  return false;
}

/** `[_0-9A-Za-z]`; NaN, past the end, is none. */
const isWord = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 95;

/**
 * The first long name; null without, or where the lexer fails
 * first.
 */
function findLongName(document: string): Token | null {
  const lexer = new Lexer(new Source(document));
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance())
      if (token.kind === TokenKind.NAME && token.value.length > MAX_NAME_CHARACTERS) return token;
  } catch {
    // The parser rejects what is no token.
  }
  return null;
}

/** Throws BadUserInput. */
export function refuseLongOperationName(operationName: unknown): void {
  if (typeof operationName === "string" && operationName.length > MAX_NAME_CHARACTERS)
    throw new BadUserInput(`operationName is longer than ${MAX_NAME_CHARACTERS} characters.`);
}

/** Throws BadUserInput for a long key anywhere in a JSON value. */
export function refuseLongKeys(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) refuseLongKeys(item);
    return;
  }
  for (const [key, part] of Object.entries(value)) {
    if (key.length > MAX_NAME_CHARACTERS)
      throw new BadUserInput(`A key of the JSON is longer than ${MAX_NAME_CHARACTERS} characters.`);
    refuseLongKeys(part);
  }
}
