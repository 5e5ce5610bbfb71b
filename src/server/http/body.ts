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
  const [essence = ""] = (type ?? "").split(";");
  if (essence.trim().toLowerCase() !== JSON_TYPE || !isUtf8(type ?? ""))
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

const isUtf8 = (type: string): boolean =>
  /^utf-?8$/i.test(/;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1] ?? "utf-8");

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
  const body = new GrowingBody();
  const onData = (chunk: Buffer): void => {
    if (body.length + chunk.length <= limit) {
      body.add(chunk);
      return;
    }
    request.off("data", onData).off("end", onEnd);
    done.refused(new BadRequest(TOO_LARGE));
  };
  const onEnd = (): void => done.read(body.bytes);
  request.on("data", onData).on("end", onEnd).on("error", ignore);
}

/** One buffer: a list of tiny chunks would take a hundred times their bytes. */
class GrowingBody {
  length = 0;
  private buffer: Buffer = Buffer.alloc(0);

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  add(chunk: Buffer): void {
    const length = this.length + chunk.length;
    // Most bodies come in one piece.
    if (this.length === 0) this.buffer = chunk;
    else {
      if (length > this.buffer.length) this.grow(length);
      chunk.copy(this.buffer, this.length);
    }
    this.length = length;
  }

  private grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(least, 2 * this.buffer.length));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}

const TOO_LARGE = 413;
const ignore = (): void => {};
