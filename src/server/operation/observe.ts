/** One line in the log and one measurement for every operation, over HTTP and WebSocket alike. */
import type { Logger } from "pino";
import type { Metrics, Observation } from "../../telemetry/metrics.js";
import { ANONYMOUS_OPERATION } from "../../telemetry/operation-names.js";
import type { Operation } from "./context.js";

/** Reports an operation that was answered. */
export type ObserveOperation = (operation: Operation, observation: Observation) => void;

/**
 * Reports to log and metrics: `warn` when it failed, else `debug`, so that a busy server's log
 * stays readable.
 */
export function createObserver(log: Logger, metrics: Metrics): ObserveOperation {
  return ({ name, kind, requestId }, observation) => {
    metrics.operation({ name: name ?? ANONYMOUS_OPERATION, kind: kind ?? "none", ...observation });
    const level = observation.outcome === "failed" ? "warn" : "debug";
    if (log.isLevelEnabled(level))
      log[level]({ requestId, operation: name, kind, ...observation }, "operation");
  };
}
