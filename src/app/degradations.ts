/**
 * Reports degraded parts and each Redis's condition to log,
 * metrics and probes.
 */
import type { Logger } from "pino";
import { createDegradations, type Degradations } from "../domain/telemetry/degradations.js";
import { watchCondition } from "../redis/client/condition.js";
import type { RedisConnection } from "../redis/client/connect.js";
import type { CallTelemetry } from "../redis/client/direct-call.js";
import type { Metrics } from "../telemetry/metrics.js";
import type { Disposer } from "./disposer.js";

/** Every report is counted; only a change of state is logged. */
export function watchDegradations(
  metrics: Pick<Metrics, "degradation">,
  log: Logger,
): Degradations {
  return createDegradations((report) => {
    metrics.degradation(report);
    const { part, reason, isChange } = report;
    if (!isChange) return;
    if (reason === null) log.info({ part }, `${part}: works as it should again`);
    else log.warn({ part }, `${part}: ${reason}`);
  });
}

/** The Redis servers of this process by their role. */
export interface Conditions {
  /** Begins to watch one; it ends with the process. */
  watch(role: string, connection: RedisConnection): void;
  /**
   * Has every one looked at, so that its state is at most a second
   * old.
   */
  look(): Promise<unknown>;
}

export function createConditions(
  { degradations, telemetry }: { degradations: Degradations; telemetry: CallTelemetry },
  disposer: Disposer,
): Conditions {
  const looks: (() => Promise<void>)[] = [];
  return {
    watch(role, connection) {
      const report = degradations.of(role);
      const { look, close } = watchCondition({ connection, telemetry, report });
      looks.push(look);
      disposer.add(close);
    },
    look: () => Promise.all(looks.map((look) => look())),
  };
}
