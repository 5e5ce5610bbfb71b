/**
 * Load shedding in front of Fastify: a rejection costs a fraction
 * of a request.
 *
 * A request to `/graphql` without identity is answered here if it
 * would get no permit. All others, and unusual ones, go on to the
 * routes, which apply the same limits.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { addressHolder } from "../../domain/address.js";
import { Overloaded } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import type { LoadMetrics } from "../../telemetry/load-metrics.js";
import type { ClientAddress } from "../client-address.js";
import type { LoadShedder } from "../load.js";
import { announcedBytes, closesWhenRefused } from "./announced-body.js";
import { isAmbiguous } from "./broken-requests.js";
import { refusalBody, typeOfAnswer } from "./errors.js";

export interface EarlySheddingDeps {
  readonly load: Pick<LoadShedder, "peek">;
  readonly shedding: Pick<LoadMetrics, "shed">;
  readonly addressOf: ClientAddress;
  readonly path: string;
  /** In bytes. */
  readonly bodyLimit: number;
  /** Name of the session cookie. */
  readonly sessionCookie: string;
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** CORS headers, by origin. */
  readonly corsHeadersOf: (origin: string | undefined) => readonly (readonly [string, string])[];
}

/** Rejects a request; false passes it on. */
export type ShedEarly = (request: IncomingMessage, response: ServerResponse) => boolean;

export function createEarlyShedding(deps: EarlySheddingDeps): ShedEarly {
  const { load, shedding, addressOf, path, bodyLimit, sessionCookie, headers, corsHeadersOf } =
    deps;
  const fixed = Object.entries(headers);
  const isCandidate = ({
    method,
    url,
    headers: { authorization, cookie },
  }: IncomingMessage): boolean =>
    method === "POST" &&
    url === path &&
    authorization === undefined &&
    !cookie?.includes(`${sessionCookie}=`);

  return (request, response) => {
    if (!isCandidate(request)) return false;
    const bytes = announcedBytes(request.headers, bodyLimit);
    const reason = load.peek({
      class: "address",
      holder: addressHolder(addressOf(request)),
      bytes,
    });
    if (!reason || isAmbiguous(request)) return false;
    shedding.shed("address", reason);
    const { code, message, details } = new Overloaded();
    const [id, { retryAfterMs }] = [randomUUID(), details];
    const body = refusalBody({ code, message, details }, id);
    response.writeHead(
      503,
      [
        ...fixed,
        ...corsHeadersOf(request.headers.origin),
        ["content-type", typeOfAnswer(request.headers.accept)],
        ["content-length", String(Buffer.byteLength(body))],
        ["retry-after", String(Math.ceil(retryAfterMs / SECOND))],
        ["x-request-id", id],
        ...(closesWhenRefused(request.headers) ? ([["connection", "close"]] as const) : []),
      ].flat(),
    );
    response.end(body);
    return true;
  };
}
