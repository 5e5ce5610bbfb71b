/** What the head of a request says about its body, before the body is read. */
import type { IncomingHttpHeaders } from "node:http";

/**
 * A refused request with a body up to this size keeps its connection: the body is read and dropped.
 */
const MAX_DROPPED_BYTES = 64 * 1024;

const hasLength = (headers: IncomingHttpHeaders): boolean =>
  headers["transfer-encoding"] === undefined;

/** Length of the body in bytes; `longest` where the head does not say it. */
export const announcedBytes = (headers: IncomingHttpHeaders, longest: number): number =>
  hasLength(headers) ? Number(headers["content-length"] ?? 0) || 0 : longest;

/** Whether a refusal closes the connection, because the rest of the body may be long. */
export const closesWhenRefused = (headers: IncomingHttpHeaders): boolean =>
  announcedBytes(headers, Number.POSITIVE_INFINITY) > MAX_DROPPED_BYTES;
