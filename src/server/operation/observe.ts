/** One log line and one measurement per operation. */
import type { Logger } from "pino";
import type { Metrics } from "../../telemetry/metrics.js";
import { ANONYMOUS_OPERATION } from "../../telemetry/operation-names.js";
import type { OperationObservation } from "../../telemetry/transport-metrics.js";
import type { Operation } from "./operation.js";

export type ObserveOperation = (
  operation: Pick<Operation, "name" | "kind" | "requestId">,
  observation: OperationObservation,
) => void;

/**
 * Logs failures as `warn` and the rest as `debug`, so that logs
 * stay readable.
 */
export function createObserver(log: Logger, metrics: Metrics): ObserveOperation {
  return ({ name, kind, requestId }, observation) => {
    metrics.operation({ name: name ?? ANONYMOUS_OPERATION, kind: kind ?? "none", ...observation });
    const level = observation.outcome === "failed" ? "warn" : "debug";
    if (log.isLevelEnabled(level))
      log[level]({ requestId, operation: name, kind, ...observation }, "operation");
  };
}
