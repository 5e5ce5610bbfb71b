/**
 * Bounds text of clients and failures before it is echoed,
 * logged or kept.
 */

const ELLIPSIS = "…";

/**
 * At most `max` UTF-16 units of a text. An ellipsis ends a
 * cut text; no surrogate pair is split.
 */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = text.slice(0, max - ELLIPSIS.length);
  return `${endsInHalf(kept) ? kept.slice(0, -1) : kept}${ELLIPSIS}`;
}

const endsInHalf = (text: string): boolean => /[\ud800-\udbff]$/.test(text);

/**
 * A copy of the beginning of a text: a substring would keep
 * the whole in memory.
 */
export function ownText(text: string, max: number): string {
  return text.length <= max ? text : Buffer.from(cutText(text, max)).toString();
}
