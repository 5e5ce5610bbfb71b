/** What a new board may be: every rule at once, so that an admin is told everything that is wrong. */
import type { UserError, UserErrorCode } from "../domain/errors.js";
import { BOARD_LIMITS, type BoardDraft } from "../domain/leaderboard.js";
import { isTimeZone, PERIODS } from "../domain/periods.js";

/** The draft in the form that is stored, and what is wrong with it. */
export function checkBoard(input: BoardDraft): { readonly draft: BoardDraft; readonly errors: readonly UserError[] } {
  const draft = { ...input, title: input.title.trim(), periods: PERIODS.filter((period) => input.periods.includes(period)) };
  const errors = [checkSlug(draft.slug), checkTitle(draft.title), checkPeriods(input), checkZone(draft.timeZone)];
  return { draft, errors: errors.filter((error) => error !== null) };
}

const wrong = (code: UserErrorCode, field: string, message: string): UserError => ({ code, message, field: ["input", field] });

/** The slug already belongs to a board. */
export const slugTaken = (slug: string): UserError => wrong("TAKEN", "slug", `There is a leaderboard "${slug}" already.`);

function checkSlug(slug: string): UserError | null {
  if (slug === "") return wrong("REQUIRED", "slug", "slug must not be empty.");
  if (slug.length > BOARD_LIMITS.slug) return wrong("TOO_LONG", "slug", `slug must have at most ${BOARD_LIMITS.slug} characters.`);
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug)
    ? null
    : wrong("INVALID", "slug", "slug is made of a-z and 0-9, with single hyphens between them.");
}

function checkTitle(title: string): UserError | null {
  if (title === "") return wrong("REQUIRED", "title", "title must not be blank.");
  return [...title].length > BOARD_LIMITS.title
    ? wrong("TOO_LONG", "title", `title must have at most ${BOARD_LIMITS.title} characters.`)
    : null;
}

function checkPeriods({ periods }: BoardDraft): UserError | null {
  if (periods.length === 0) return wrong("REQUIRED", "periods", "periods must name at least one.");
  return new Set(periods).size < periods.length ? wrong("INVALID", "periods", "periods must be distinct.") : null;
}

function checkZone(timeZone: string): UserError | null {
  return isTimeZone(timeZone) ? null : wrong("INVALID", "timeZone", "timeZone must be a name of the IANA database, such as Europe/Berlin.");
}
