/** Checks a new board: reports every broken rule at once. */
import type { UserError, UserErrorCode } from "../../domain/errors.js";
import { BOARD_LIMITS, type BoardDraft } from "../../domain/leaderboard/leaderboard.js";
import { PERIODS, timeZoneNamed } from "../../domain/leaderboard/periods.js";
import { checkText, typed } from "../../domain/text.js";

/** The draft as it is stored, and its errors. */
export function checkBoard(input: BoardDraft): {
  readonly draft: BoardDraft;
  readonly errors: readonly UserError[];
} {
  const timeZone = timeZoneNamed(input.timeZone);
  const periods = PERIODS.filter((period) => input.periods.includes(period));
  const draft = {
    ...input,
    slug: typed(input.slug),
    title: typed(input.title),
    periods,
    timeZone: timeZone ?? "",
  };
  const errors = [
    checkSlug(draft.slug),
    checkText(TITLE, draft.title),
    checkPeriods(input),
    timeZone === null ? NO_ZONE : null,
  ];
  return { draft, errors: errors.filter((error) => error !== null) };
}

const draftError = (code: UserErrorCode, field: string, message: string): UserError => ({
  code,
  message,
  field: ["input", field],
});

/** The slug already belongs to a board. */
export const slugTaken = (slug: string): UserError =>
  draftError("TAKEN", "slug", `There is a leaderboard "${slug}" already.`);

function checkSlug(slug: string): UserError | null {
  if (slug === "") return draftError("REQUIRED", "slug", "slug must not be blank.");
  if (slug.length > BOARD_LIMITS.slug)
    return draftError(
      "TOO_LONG",
      "slug",
      `slug must have at most ${BOARD_LIMITS.slug} characters.`,
    );
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug)
    ? null
    : draftError(
        "INVALID",
        "slug",
        "slug is made of a-z and 0-9, with single hyphens between them.",
      );
}

function checkPeriods({ periods }: BoardDraft): UserError | null {
  if (periods.length === 0)
    return draftError("REQUIRED", "periods", "periods must name at least one.");
  return new Set(periods).size < periods.length
    ? draftError("INVALID", "periods", "periods must be distinct.")
    : null;
}

const TITLE = { field: "title", kind: "line", max: BOARD_LIMITS.title } as const;
const NO_ZONE = draftError(
  "INVALID",
  "timeZone",
  "timeZone must be a name of the IANA database, such as Europe/Berlin.",
);
