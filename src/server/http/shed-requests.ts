/**
 * Load shedding in front of `/graphql` over HTTP: a request is refused before its body is read
 * where there is no place, and takes its place when the body is there.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Overloaded } from "../../domain/errors.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import type { LoadMetrics } from "../../telemetry/load-metrics.js";
import { isShed, type Load, type Permit } from "../load.js";
import { type CallerRules, type ClaimedCaller, readHttpClaim } from "../operation/context.js";
import { announcedBytes, closesWhenRefused } from "./announced-body.js";

/** What is known of a request when its body is not read yet. */
export interface ArrivedRequest {
  readonly claimed: ClaimedCaller;
  /** When it arrived, on the monotonic clock of this process, in ms. */
  readonly atMs: number;
  readonly permit: Permit;
  /** Takes the place. Throws Overloaded. */
  start(): void;
}

/** What shedding asks. */
export interface SheddingDeps {
  readonly load: Load;
  readonly admission: Pick<Admission, "payerOf">;
  readonly callers: CallerRules;
  readonly shedding: Pick<LoadMetrics, "shed">;
}

const arrivals = new WeakMap<FastifyRequest, ArrivedRequest>();

/** What {@link createShedding} noted of a request. */
export function arrivalOf(request: FastifyRequest): ArrivedRequest {
  const arrival = arrivals.get(request);
  if (!arrival) throw new Error("The request did not pass the hook that takes its place.");
  return arrival;
}

/**
 * The `onRequest` hook of the route. Throws Unauthenticated, and Overloaded when there is no place,
 * or no room for the body.
 */
export function createShedding({ load, admission, callers, shedding }: SheddingDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const claimed = readHttpClaim(request, callers);
    const { kind, name } = admission.payerOf(claimed.claim);
    const bytes = announcedBytes(request.headers, request.routeOptions.bodyLimit);
    const announced = load.announce({ class: kind, holder: name, bytes });
    if (isShed(announced)) {
      shedding.shed(kind, announced);
      if (closesWhenRefused(request.headers)) reply.header("connection", "close");
      throw new Overloaded();
    }
    const start = () => {
      const reason = announced.start();
      if (reason === null) return;
      shedding.shed(kind, reason);
      throw new Overloaded();
    };
    arrivals.set(request, { claimed, atMs: performance.now(), permit: announced, start });
    // A request that fails before its handler runs gives its place back here; one that runs holds
    // it until it has ended.
    reply.raw.once("close", () => {
      if (!running.has(request)) announced.release();
    });
  };
}

const running = new WeakSet<FastifyRequest>();

/**
 * Runs the handler of a request in its place, which is given back when it has ended, also where the
 * client has hung up. Rejects with Overloaded.
 */
export async function withPermit<T>(request: FastifyRequest, handle: () => Promise<T>): Promise<T> {
  running.add(request);
  const { permit, start } = arrivalOf(request);
  try {
    start();
    return await handle();
  } finally {
    permit.release();
  }
}
