/** Probes: liveness, readiness and metrics. */
import type { FastifyInstance } from "fastify";
import { withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import type { Metrics } from "../../telemetry/metrics.js";

export interface Readiness {
  /** Whether it can answer clients at all. */
  readonly ready: boolean;
  /** State of each dependency: "ok", or a text for operators. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface HealthDeps {
  readonly readiness: () => Promise<Readiness>;
  readonly isDraining: () => boolean;
  readonly metrics: Metrics;
}

/**
 * Below the time-out of probes, so that the answer names the
 * culprit.
 */
const READINESS_MS = 2 * SECOND;

/** Some load balancers probe with HEAD. */
const PROBE = { exposeHeadRoute: true };

/** GET and HEAD /livez, /readyz and /metrics. */
export function addHealth(
  app: FastifyInstance,
  { readiness, isDraining, metrics }: HealthDeps,
): void {
  app.get("/livez", PROBE, async (_request, reply) =>
    reply.header("cache-control", "no-store").send({ status: "ok" }),
  );

  app.get("/readyz", PROBE, async (_request, reply) => {
    const { ready, checks } = isDraining() ? DRAINING : await boundedCheck(readiness);
    const missing = Object.entries(checks).flatMap(([name, state]) =>
      state === "ok" ? [] : [name],
    );
    // 503 takes a process out of rotation. For a shared
    // dependency that would be all of them (decision 0003).
    const status = ready ? (missing.length === 0 ? "ok" : "degraded") : "unavailable";
    return reply
      .code(ready ? 200 : 503)
      .header("cache-control", "no-store")
      .send({ status, missing, checks });
  });

  app.get("/metrics", PROBE, async (_request, reply) => {
    const { contentType, text } = await metrics.render();
    return reply.header("content-type", contentType).send(text);
  });
}

const DRAINING: Readiness = { ready: false, checks: { server: "draining" } };

async function boundedCheck(readiness: () => Promise<Readiness>): Promise<Readiness> {
  const unknown = (why: string): Readiness => ({ ready: false, checks: { readiness: why } });
  try {
    return await withDeadline(readiness(), READINESS_MS, () =>
      unknown(`no answer within ${READINESS_MS} ms`),
    );
  } catch {
    return unknown("the check itself failed");
  }
}
