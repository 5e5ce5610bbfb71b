/**
 * Rules of arguments beyond their type. A rule answers what
 * is wrong, as a sentence without its subject; null when
 * nothing is. Rules depend on the value alone, so they are
 * checked before anything runs.
 */
import { decodeIdOf, type NodeType } from "./ids.js";
import { isCursor, PAGE_SIZE } from "./page.js";

/** A rule of one argument; values have the argument's type already. */
export type ArgumentRule = (value: unknown) => string | null;

const rule =
  <T>(why: (value: T) => string | null): ArgumentRule =>
  (value) =>
    why(value as T);

/** A number within a range, both ends included. */
export const between = (min: number, max: number): ArgumentRule =>
  rule<number>((number) =>
    number >= min && number <= max ? null : `must be between ${min} and ${max}, not ${number}.`,
  );

/** A number that is large enough. */
export const atLeast = (min: number): ArgumentRule =>
  rule<number>((number) => (number >= min ? null : `must be ${min} or more, not ${number}.`));

/** A list that is short enough. */
export const atMostItems = (max: number): ArgumentRule =>
  rule<readonly unknown[]>(({ length }) =>
    length <= max ? null : `must be at most ${max}, not ${length}.`,
  );

/** A text that is short enough. */
export const atMostCharacters = (max: number): ArgumentRule =>
  rule<string>(({ length }) =>
    length <= max ? null : `must be at most ${max} characters, not ${length}.`,
  );

/** A global id of one type. */
export const isIdOf = (type: NodeType): ArgumentRule =>
  rule<string>((id) =>
    decodeIdOf(type, id) === null ? `is not the id of a ${type.toLowerCase()}.` : null,
  );

/** The size of a page. */
export const pageSizeRule: ArgumentRule = between(PAGE_SIZE.min, PAGE_SIZE.max);

/** A cursor of any list; only the list can check that it is its own. */
export const cursorRule: ArgumentRule = rule<string>((text) =>
  isCursor(text)
    ? null
    : "is not a cursor of this list. Use a cursor from its edges or pageInfo, with the same " +
      "filter and sort.",
);
