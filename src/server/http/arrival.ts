/**
 * Load shedding at `/graphql`: a request is rejected before its
 * body is read. It takes its permit when the body is there.
 */
import { Overloaded } from "../../domain/errors.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import type { LoadMetrics } from "../../telemetry/load-metrics.js";
import { type AnnouncedPermit, isShed, type LoadShedder } from "../load.js";
import { type CallerRules, type ClaimedCaller, readHttpClaim } from "../operation/caller.js";
import { announcedBytes } from "./announced-body.js";
import type { HttpExchange } from "./exchange.js";

export interface ArrivalDeps {
  readonly load: LoadShedder;
  readonly admission: Pick<Admission, "payerOf">;
  readonly callers: CallerRules;
  readonly shedding: Pick<LoadMetrics, "shed">;
  /** In bytes. */
  readonly bodyLimit: number;
}

/** A request whose body is not read yet. */
export class ArrivedRequest {
  private isRunning = false;

  constructor(
    readonly claimed: ClaimedCaller,
    private readonly permit: AnnouncedPermit,
    private readonly shed: (reason: Parameters<LoadMetrics["shed"]>[1]) => void,
    /** On the monotonic clock, in ms. */
    readonly atMs = performance.now(),
  ) {}

  /** Takes the permit. Throws Overloaded. */
  start(): void {
    this.isRunning = true;
    const reason = this.permit.start();
    if (reason === null) return;
    this.shed(reason);
    throw new Overloaded();
  }

  /** Its answer is made. Idempotent. */
  end(): void {
    this.permit.release();
  }

  /** Its client has hung up. What runs ends by itself. */
  leave(): void {
    if (!this.isRunning) this.end();
  }
}

/**
 * Reserves room for a request; null where there is none. Throws
 * Unauthenticated.
 */
export function announce(deps: ArrivalDeps, exchange: HttpExchange): ArrivedRequest | null {
  const { load, admission, callers, shedding, bodyLimit } = deps;
  const claimed = readHttpClaim(exchange, callers);
  const { kind, name } = admission.payerOf(claimed.claim);
  const bytes = announcedBytes(exchange.headers, bodyLimit);
  const permit = load.announce({ class: kind, holder: name, bytes });
  if (isShed(permit)) {
    shedding.shed(kind, permit);
    return null;
  }
  const arrival = new ArrivedRequest(claimed, permit, (reason) => shedding.shed(kind, reason));
  exchange.response.once("close", () => arrival.leave());
  return arrival;
}
