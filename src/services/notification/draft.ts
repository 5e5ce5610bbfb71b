/** Bounds of a notification that an admin sends. */
import { type UserError, userError } from "../../domain/errors.js";
import { NOTIFICATION_LIMITS, type NotificationContent } from "../../domain/notification.js";
import { checkText, holdsUnseen, typed } from "../../domain/text.js";

/**
 * Brings the texts into one spelling and finds all errors.
 * @param nowMs by the clock that all processes share
 */
export function checkContent(
  input: NotificationContent,
  nowMs: number,
): { content: NotificationContent; errors: UserError[] } {
  const { kind, title, body, url } = input;
  const content = {
    ...input,
    kind: typed(kind),
    title: typed(title),
    body: typed(body),
    url: urlOf(url),
  };
  const errors = [
    checkKind(content.kind),
    checkText({ field: "title", kind: "line", max: NOTIFICATION_LIMITS.title }, content.title),
    checkText(
      { field: "body", kind: "body", max: NOTIFICATION_LIMITS.body, optional: true },
      content.body,
    ),
    checkUrl(content.url),
    checkExpiry(content.expiresAt, nowMs),
  ];
  return { content, errors: errors.filter((error) => error !== null) };
}

function checkKind(kind: string): UserError | null {
  if (kind === "") return userError("REQUIRED", ["input", "kind"], "kind must not be blank.");
  if (kind.length > NOTIFICATION_LIMITS.kind) return tooLong("kind", kind.length);
  return /^[a-z][a-z0-9._-]*$/.test(kind)
    ? null
    : userError(
        "INVALID",
        ["input", "kind"],
        "kind must be lower-case letters, digits, dots, dashes and underscores, beginning " +
          "with a letter.",
      );
}

/** Not normalised; only blanks around it are dropped. */
const urlOf = (url: string | null): string | null =>
  url !== null && typed(url) !== "" ? url.trim() : null;

/**
 * A path of this shop or an http(s) URL: nothing that
 * runs as script.
 */
function checkUrl(url: string | null): UserError | null {
  if (url === null) return null;
  if (url.length > NOTIFICATION_LIMITS.url) return tooLong("url", url.length);
  const isPath = /^\/(?![/\\])[^\\]*$/.test(url);
  return (isPath || isWebAddress(url)) && !holdsUnseen(url)
    ? null
    : userError(
        "INVALID",
        ["input", "url"],
        "url must be an address that begins with http:// or https://, or a path that begins " +
          "with a slash.",
      );
}

function isWebAddress(url: string): boolean {
  return /^https?:\/\/[^\\]+$/i.test(url) && URL.canParse(url);
}

function checkExpiry(expiresAt: string | null, nowMs: number): UserError | null {
  return expiresAt === null || Date.parse(expiresAt) > nowMs
    ? null
    : userError(
        "OUT_OF_RANGE",
        ["input", "expiresAt"],
        "expiresAt lies in the past: nobody would see it.",
      );
}

const tooLong = (field: keyof typeof NOTIFICATION_LIMITS, length: number): UserError =>
  userError(
    "TOO_LONG",
    ["input", field],
    `${field} has ${length} characters; at most ${NOTIFICATION_LIMITS[field]} are allowed.`,
  );
