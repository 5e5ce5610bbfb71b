/**
 * Names in a request, bounded before the document is parsed: an answer repeats an alias once per
 * object, and messages of graphql-js quote names whole.
 *
 * A look at every 129th character finds a candidate. The lexer then tells a name from a word in a
 * string or a comment, which may be long.
 */
import { Lexer, Source, type Token, TokenKind } from "graphql";
import { BadUserInput, NameTooLong } from "../../domain/errors.js";

/** Longest name of a document, key of a JSON object, or id of an operation, in characters. */
export const MAX_NAME_CHARACTERS = 128;

/** Throws NameTooLong when a document holds a name above the bound. O(characters). */
export function refuseLongNames(document: string): void {
  if (!holdsLongWord(document)) return;
  const name = findLongName(document);
  if (name) throw new NameTooLong(MAX_NAME_CHARACTERS, name);
}

/**
 * Whether a run of word characters is above the bound. Such a run covers a multiple of its length.
 */
function holdsLongWord(text: string): boolean {
  for (let at = MAX_NAME_CHARACTERS; at < text.length; at += MAX_NAME_CHARACTERS + 1) {
    let [start, end] = [at, at];
    while (end - start <= MAX_NAME_CHARACTERS && isWord(text.charCodeAt(end))) end++;
    // What is not within a word begins none here.
    while (end > at && end - start <= MAX_NAME_CHARACTERS && isWord(text.charCodeAt(start - 1)))
      start--;
    if (end - start > MAX_NAME_CHARACTERS) return true;
  }
  return false;
}

/** `[_0-9A-Za-z]`; NaN, the code beside a text, is none. */
const isWord = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 95;

/** The first long name; null when there is none, or when the parser refuses the text before it. */
function findLongName(document: string): Token | null {
  const lexer = new Lexer(new Source(document));
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance())
      if (token.kind === TokenKind.NAME && token.value.length > MAX_NAME_CHARACTERS) return token;
  } catch {
    // What is no token is the parser's to refuse.
  }
  return null;
}

/** Throws BadUserInput when `operationName` is longer than a name may be. */
export function refuseLongOperationName(operationName: unknown): void {
  if (typeof operationName === "string" && operationName.length > MAX_NAME_CHARACTERS)
    throw new BadUserInput(`operationName is longer than ${MAX_NAME_CHARACTERS} characters.`);
}

/** Throws BadUserInput when an object within a JSON value has a key above the bound. */
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
