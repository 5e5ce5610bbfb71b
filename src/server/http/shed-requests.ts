/**
 * Load shedding at `/graphql`: a request is rejected before its
 * body is read. It takes its permit when the body is there.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Overloaded } from "../../domain/errors.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import type { LoadMetrics } from "../../telemetry/load-metrics.js";
import { isShed, type LoadShedder, type Permit } from "../load.js";
import { type CallerRules, type ClaimedCaller, readHttpClaim } from "../operation/caller.js";
import { announcedBytes, closesWhenRefused } from "./announced-body.js";

/** A request whose body is not read yet. */
export interface ArrivedRequest {
  readonly claimed: ClaimedCaller;
  /** Arrival on the monotonic clock, in ms. */
  readonly atMs: number;
  readonly permit: Permit;
  /** Takes the permit. Throws Overloaded. */
  start(): void;
}

export interface SheddingDeps {
  readonly load: LoadShedder;
  readonly admission: Pick<Admission, "payerOf">;
  readonly callers: CallerRules;
  readonly shedding: Pick<LoadMetrics, "shed">;
}

const arrivals = new WeakMap<FastifyRequest, ArrivedRequest>();

export function arrivalOf(request: FastifyRequest): ArrivedRequest {
  const arrival = arrivals.get(request);
  if (!arrival) throw new Error("The request did not pass the hook that takes its place.");
  return arrival;
}

/**
 * The `onRequest` hook. Throws Unauthenticated, and Overloaded
 * without permit or room for the body.
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
    // Without a running handler the permit is released here.
    reply.raw.once("close", () => {
      if (!running.has(request)) announced.release();
    });
  };
}

const running = new WeakSet<FastifyRequest>();

/**
 * Runs a handler under its permit until it ends, even after a
 * hang-up. Rejects with Overloaded.
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
