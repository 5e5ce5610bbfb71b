/** The body of a request, by its headers alone. */
import type { IncomingHttpHeaders } from "node:http";

/**
 * A rejected body up to this size is read and dropped, and the
 * connection kept.
 */
const MAX_DROPPED_BYTES = 64 * 1024;

const hasLength = (headers: IncomingHttpHeaders): boolean =>
  headers["transfer-encoding"] === undefined;

/** Length in bytes; `longest` where the headers omit it. */
export const announcedBytes = (headers: IncomingHttpHeaders, longest: number): number =>
  hasLength(headers) ? Number(headers["content-length"] ?? 0) || 0 : longest;

/**
 * Whether a rejection closes the connection: the body may be
 * long.
 */
export const closesWhenRefused = (headers: IncomingHttpHeaders): boolean =>
  announcedBytes(headers, Number.POSITIVE_INFINITY) > MAX_DROPPED_BYTES;
