/**
 * Text of clients, checked once at the edge.
 *
 * PostgreSQL rejects NUL, and UTF-8 has no lone surrogates. JSON
 * can escape both (`\u0000`, `\ud800`), so they are rejected
 * here. Nesting is counted before parsing, in one pass.
 */
import { isUtf8 } from "node:buffer";
import { BadUserInput } from "../../domain/errors.js";
import { refuseLongKeys } from "./names.js";

/** As {@link readJson}. Throws BadUserInput. */
export function readBody(body: Buffer, maxDepth: number): unknown {
  if (!isUtf8(body)) throw new BadUserInput("The body is not valid UTF-8.");
  return readJson(body.toString("utf8"), maxDepth);
}

/**
 * Parses JSON with bounded nesting and keys, and well-formed
 * text. Throws BadUserInput.
 */
export function readJson(text: string, maxDepth: number): unknown {
  if (isDeeperThan(text, maxDepth))
    throw new BadUserInput(`The JSON is nested deeper than ${maxDepth} levels.`);
  const value = parseText(text);
  refuseLongKeys(value);
  // Parsed strings are ill-formed only by such an escape.
  if (ILL_FORMED_ESCAPE.test(text)) refuseIllFormed(value);
  return value;
}

const ILL_FORMED_ESCAPE = /\\u(?:0000|d[89a-f])/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what it looks for
const ILL_FORMED = /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadUserInput("The request is not valid JSON.");
  }
}

/**
 * Throws BadUserInput for NUL or a lone surrogate in any string
 * or key. The depth of the value bounds the stack.
 */
export function refuseIllFormed(value: unknown): void {
  if (typeof value === "string" && isIllFormed(value))
    throw new BadUserInput("Text must hold neither NUL characters nor lone surrogates.");
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    refuseIllFormed(key);
    refuseIllFormed(part);
  }
}

/** Whether a text holds a NUL or a lone surrogate. */
export const isIllFormed = (text: string): boolean => ILL_FORMED.test(text);

const OPENING = new Set(["{", "["].map((sign) => sign.charCodeAt(0)));
const CLOSING = new Set(["}", "]"].map((sign) => sign.charCodeAt(0)));
const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = "\\".charCodeAt(0);

/** Counts brackets outside strings. O(length), no allocation. */
export function isDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (sign === QUOTE) at = endOfString(text, at);
    else if (OPENING.has(sign)) depth++;
    else if (CLOSING.has(sign)) depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** The index of the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
