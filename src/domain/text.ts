/**
 * Text that users type: one spelling, one meaning of "blank",
 * one list of refused characters.
 *
 * Stored text and text in look-ups are both in NFC (Unicode
 * Standard Annex 15). So equal words are equal bytes. Opaque
 * strings stay as they are: operation ids, cursors, tokens,
 * metadata, URLs. Passwords have a rule of their own: {@link
 * canonicalPassword}.
 */
import { type UserError, type UserErrorCode, userError } from "./errors.js";

/**
 * Characters without ink: white space, controls, format
 * characters, fillers, marks without a letter. Also what
 * renderers ignore, and blanks that Unicode files under
 * letters or symbols.
 */
const INKLESS =
  String.raw`\p{White_Space}\p{Cc}\p{Cf}\p{Surrogate}\p{M}\p{Default_Ignorable_Code_Point}` +
  String.raw`\p{Noncharacter_Code_Point}\u2800\uFFFC\u{1D159}\u{13441}\u{13442}`;
const NO_INK = new RegExp(`^[${INKLESS}]*$`, "u");

/**
 * Trimmed at both ends. Joiners and variation selectors stay:
 * they belong to the sign before them.
 */
const EDGE = /[\p{White_Space}\u00AD\u180E\u200B\u2060\uFEFF]/u;

/**
 * Controls except white space, halves of surrogate pairs, and
 * noncharacters.
 */
const NO_TEXT = /(?!\p{White_Space})\p{Cc}|\p{Surrogate}|\p{Noncharacter_Code_Point}/u;
/** Any control, and the separators of lines and paragraphs. */
const NO_LINE = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/**
 * Embeddings, overrides and isolates, and what closes them
 * (Unicode Standard Annex 9).
 */
const DIRECTIONAL = /[\u202A-\u202E\u2066-\u2069]/gu;
const ISOLATES = /[\u2066-\u2068]/;
const [POP_EMBEDDING, POP_ISOLATE] = ["\u202C", "\u2069"];
/** The end of a paragraph ends every change of direction. */
const PARAGRAPHS = /[\n\r\u0085\u2029]/u;

/**
 * The one spelling of a text, stored and looked up: NFC,
 * trimmed, "" where nothing is visible.
 */
export function typed(text: string): string {
  return NO_INK.test(text) ? "" : withoutEdges(text.normalize("NFC"));
}

/**
 * One walk from each end. A pattern that ends in `+$` would
 * retry each run of blanks from every character.
 */
function withoutEdges(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && EDGE.test(text.charAt(start))) start++;
  while (end > start && EDGE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * The same of an e-mail address. Lower case can decompose a
 * letter, so it comes before NFC.
 */
export const typedEmail = (email: string): string => typed(email.toLowerCase());

/**
 * Whether a text holds invisible characters: white space,
 * controls, format characters, fillers. No address does.
 */
export const holdsUnseen = (text: string): boolean =>
  /[\p{White_Space}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);

/**
 * Length as PostgreSQL counts: a character outside the basic
 * plane is one.
 */
export const lengthOf = (text: string): number => [...text].length;

/**
 * One spelling of a password, used for its hash: NFKC, as
 * NIST SP 800-63B names it. Blanks count.
 */
export const canonicalPassword = (password: string): string => password.normalize("NFKC");

export interface TextRule {
  /** Name of the text in messages, and in the error's path. */
  readonly field: string;
  /** Longest text, in characters. */
  readonly max: number;
  /** `line`: a name or a title. `body`: any number of lines. */
  readonly kind: "line" | "body";
  /** Whether it may be blank; default false. */
  readonly optional?: boolean;
}

/**
 * What is wrong with a {@link typed} text; null when nothing
 * is. The path begins with `input`.
 */
export function checkText(
  { field, max, kind, optional = false }: TextRule,
  text: string,
): UserError | null {
  const error = (code: UserErrorCode, fault: string): UserError =>
    userError(code, ["input", field], `${field} ${fault}.`);
  if (text === "") return optional ? null : error("REQUIRED", "must not be blank");
  const length = lengthOf(text);
  if (length > max)
    return error("TOO_LONG", `has ${length} characters; at most ${max} are allowed`);
  const fault = textFault(kind, text);
  return fault === null ? null : error("INVALID", fault);
}

function textFault(kind: TextRule["kind"], text: string): string | null {
  if (NO_TEXT.test(text))
    return (
      "holds characters that are not valid text (a control character, or half of a surrogate " +
      "pair)"
    );
  if (kind === "body")
    return text.split(PARAGRAPHS).every(isClosed)
      ? null
      : "changes the direction of text without changing it back";
  if (NO_LINE.test(text)) return "holds a line break or a control character";
  return text.match(DIRECTIONAL)
    ? "holds a character that changes the direction of the text around it"
    : null;
}

/**
 * Whether every change of direction in a paragraph is closed
 * in it, as brackets are.
 */
function isClosed(paragraph: string): boolean {
  const open: string[] = [];
  for (const [sign] of paragraph.matchAll(DIRECTIONAL)) {
    if (sign !== POP_EMBEDDING && sign !== POP_ISOLATE)
      open.push(ISOLATES.test(sign) ? POP_ISOLATE : POP_EMBEDDING);
    else if (open.pop() !== sign) return false;
  }
  return open.length === 0;
}
