/** The body of a request to `/graphql`: JSON in UTF-8, whole, within its limit. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** A request that is rejected by its HTTP status. */
export class BadRequest extends Error {
  constructor(readonly statusCode: number) {
    super(`The request is refused with status ${statusCode}.`);
  }
}

/** Whether there is a body to read. Throws BadRequest for another type. */
export function announcesJson(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  if (type === JSON_TYPE) return isPlain(headers);
  if (type === undefined && announcesNothing(headers)) return false;
  const [essence = "", ...parameters] = (type ?? "").split(";");
  if (essence.trim().toLowerCase() !== JSON_TYPE || !parameters.every(isUtf8))
    throw new BadRequest(UNSUPPORTED);
  return isPlain(headers);
}

const JSON_TYPE = "application/json";
const UNSUPPORTED = 415;

function isPlain(headers: IncomingHttpHeaders): true {
  if ((headers["content-encoding"] || "identity") === "identity") return true;
  throw new BadRequest(UNSUPPORTED);
}

const announcesNothing = (headers: IncomingHttpHeaders): boolean =>
  headers["transfer-encoding"] === undefined && !Number(headers["content-length"] ?? 0);

/** Other parameters than the charset are ignored. */
const isUtf8 = (parameter: string): boolean =>
  !/^\s*charset\s*=/i.test(parameter) || /^\s*charset\s*=\s*"?utf-?8"?\s*$/i.test(parameter);

/**
 * Reads a body whole. A client that hangs up is not answered.
 * `refused` gets BadRequest for one that is too large.
 */
export function readWhole(
  request: IncomingMessage,
  limit: number,
  done: { readonly read: (body: Buffer) => void; readonly refused: (error: BadRequest) => void },
): void {
  if (Number(request.headers["content-length"] ?? 0) > limit) {
    done.refused(new BadRequest(TOO_LARGE));
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= limit) {
      chunks.push(chunk);
      return;
    }
    request.off("data", onData).off("end", onEnd);
    done.refused(new BadRequest(TOO_LARGE));
  };
  const onEnd = (): void =>
    done.read(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
  request.on("data", onData).on("end", onEnd).on("error", ignore);
}

const TOO_LARGE = 413;
const ignore = (): void => {};
