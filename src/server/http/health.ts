/**
 * What probes ask: is the process alive, may it be sent traffic, and its numbers. All JSON, but for
 * the metrics' own format.
 */
import type { FastifyInstance } from "fastify";
import { withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import type { Metrics } from "../../telemetry/metrics.js";

/** What a process can do right now. */
export interface Readiness {
  /** Whether it can answer clients at all. */
  readonly ready: boolean;
  /** State of each dependency: "ok", or what is wrong in words for an operator. */
  readonly checks: Readonly<Record<string, string>>;
}

/** What health is read from. */
export interface HealthDeps {
  readonly readiness: () => Promise<Readiness>;
  readonly isDraining: () => boolean;
  readonly metrics: Metrics;
}

/** A probe gives up after some seconds; an answer that names the culprit must come before. */
const READINESS_MS = 2 * SECOND;

/** Some load balancers probe with HEAD. */
const PROBE = { exposeHeadRoute: true };

/** Adds GET and HEAD /livez, /readyz and /metrics. */
export function addHealth(
  app: FastifyInstance,
  { readiness, isDraining, metrics }: HealthDeps,
): void {
  app.get("/livez", PROBE, async (_request, reply) =>
    reply.header("cache-control", "no-store").send({ status: "ok" }),
  );

  app.get("/readyz", PROBE, async (_request, reply) => {
    const { ready, checks } = isDraining() ? DRAINING : await bounded(readiness);
    const missing = Object.entries(checks).flatMap(([name, state]) =>
      state === "ok" ? [] : [name],
    );
    // 503 takes a process out of rotation: with a dependency down that all share, that would be all
    // of them (docs/decisions/0003-readiness.md).
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

async function bounded(readiness: () => Promise<Readiness>): Promise<Readiness> {
  const unknown = (why: string): Readiness => ({ ready: false, checks: { readiness: why } });
  try {
    return await withDeadline(readiness(), READINESS_MS, () =>
      unknown(`no answer within ${READINESS_MS} ms`),
    );
  } catch {
    return unknown("the check itself failed");
  }
}
