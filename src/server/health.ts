/** What probes ask: is the process alive, may it be sent traffic, and its numbers. All JSON, but for the metrics' own format. */
import type { FastifyInstance } from "fastify";
import { SECOND } from "../domain/time.js";
import { withDeadline } from "./executor.js";
import type { Metrics } from "./metrics.js";

/** What health is read from. */
export interface HealthParts {
  /** State of each dependency: "ok", or what is wrong in words for an operator. */
  readonly readiness: () => Promise<Record<string, string>>;
  readonly isDraining: () => boolean;
  readonly metrics: Metrics;
}

/** A probe gives up after some seconds; an answer that names the culprit must come before. */
const READINESS_MS = 2 * SECOND;

/** Adds GET /livez, /readyz and /metrics. */
export function addHealth(app: FastifyInstance, { readiness, isDraining, metrics }: HealthParts): void {
  app.get("/livez", async (_request, reply) => reply.header("cache-control", "no-store").send({ status: "ok" }));

  app.get("/readyz", async (_request, reply) => {
    const checks = isDraining() ? { server: "draining" } : await bounded(readiness);
    const missing = Object.keys(checks).filter((name) => checks[name] !== "ok");
    const body = missing.length === 0 ? { status: "ok", checks } : { status: "unavailable", missing, checks };
    return reply
      .code(missing.length === 0 ? 200 : 503)
      .header("cache-control", "no-store")
      .send(body);
  });

  app.get("/metrics", async (_request, reply) => {
    const { contentType, text } = await metrics.render();
    return reply.header("content-type", contentType).send(text);
  });
}

async function bounded(readiness: () => Promise<Record<string, string>>): Promise<Record<string, string>> {
  try {
    return await withDeadline(readiness(), READINESS_MS, () => ({ readiness: `no answer within ${READINESS_MS} ms` }));
  } catch {
    return { readiness: "the check itself failed" };
  }
}
