/** Text of clients and of failures, cut to a bound before it is echoed, logged or kept. */

const ELLIPSIS = "…";

/** At most `max` UTF-16 units of a text. An ellipsis ends what was cut; no surrogate pair is split. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = text.slice(0, max - ELLIPSIS.length);
  return `${endsInHalf(kept) ? kept.slice(0, -1) : kept}${ELLIPSIS}`;
}

const endsInHalf = (text: string): boolean => /[\ud800-\udbff]$/.test(text);
