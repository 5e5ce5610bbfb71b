/**
 * Turns a search into a full-text prefix query: every word
 * must occur, as the beginning of a word.
 *
 * The configuration is "simple": nothing is stemmed, so a
 * prefix is exactly the letters typed. "chair" finds
 * "chairs"; "chairs" does not find "chair". Words are split
 * at the punctuation of the stored text (`searchWords`
 * in schema/columns.ts) and quoted. So no character of the
 * input is an operator.
 */

/** The rest of a longer query is ignored, to keep hostile ones cheap. */
const MAX_WORDS = 16;
/** Lexemes end at 2 KB; real words are shorter than this. */
const MAX_WORD_LENGTH = 100;

/**
 * Controls, white space and ASCII punctuation, as in the
 * stored text; and lone surrogates, which UTF-8 cannot carry.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL and its like never reach Postgres
const BETWEEN_WORDS = /[\u0000-\u0020!-/:-@[-`{-\u00a0]+/;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const SEPARATORS = new RegExp(`${BETWEEN_WORDS.source}|${LONE_SURROGATE.source}`);

/**
 * The `to_tsquery` text for a search, e.g.
 * `'red':* & 'cha':*`.
 * @returns null for blank text, which filters nothing;
 * punctuation alone finds nothing
 */
export function prefixQuery(text: string): string | null {
  if (text.trim() === "") return null;
  const words = text.split(SEPARATORS).filter(Boolean).slice(0, MAX_WORDS);
  return words.map((word) => `'${[...word].slice(0, MAX_WORD_LENGTH).join("")}':*`).join(" & ");
}
