/** Metrics of the transport: operations, sockets, subscriptions. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { SECOND } from "../domain/time/time.js";
import { createOperationNames } from "./operation-names.js";
import { SECONDS_BUCKETS } from "./subject-metrics.js";

/** How an operation ended. */
export interface OperationObservation {
  readonly transport: "http" | "websocket";
  readonly durationMs: number;
  /** A refusal is the client's fault, a failure ours. */
  readonly outcome: "answered" | "refused" | "failed";
}

/** Metrics of the transport. */
export interface TransportMetrics {
  /** One operation was answered. */
  operation(
    operation: OperationObservation & { readonly name: string; readonly kind: string },
  ): void;
  /** Operation names that always have a label. */
  keepOperations(names: Iterable<string>): void;
  /** Sockets opened (+1) or closed (-1). */
  sockets(by: 1 | -1): void;
  /** Subscriptions started (+1) or ended (-1). */
  subscriptions(by: 1 | -1): void;
  /** `next` messages of subscriptions were handed to sockets. */
  messages(count: number): void;
  /**
   * Groups of subscribers that share messages: begun (+1) or ended
   * (-1).
   */
  fanOutGroups(by: 1 | -1): void;
}

/** Every value of the labels beside an operation's name. */
const OPERATION_LABELS = ["query", "mutation", "subscription", "none"].flatMap((kind) =>
  ["http", "websocket"].flatMap((transport) =>
    ["answered", "refused", "failed"].map((outcome) => ({ kind, transport, outcome })),
  ),
);
export function operationMetrics(
  registry: Registry,
): Pick<TransportMetrics, "operation" | "keepOperations"> {
  const labelNames = ["operation", "kind", "transport", "outcome"] as const;
  const durations = new Histogram({
    name: "souk_operation_seconds",
    help: "Operations by name, with their duration.",
    labelNames,
    buckets: SECONDS_BUCKETS,
    registers: [registry],
  });
  const forget = (operation: string) => {
    for (const labels of OPERATION_LABELS) durations.remove({ operation, ...labels });
  };
  const names = createOperationNames(forget, () => performance.now());
  return {
    operation: ({ name, kind, transport, outcome, durationMs }) =>
      durations.observe(
        { operation: names.labelOf(name, outcome === "answered"), kind, transport, outcome },
        durationMs / SECOND,
      ),
    keepOperations: names.keep,
  };
}

export function transportMetrics(
  registry: Registry,
): Pick<TransportMetrics, "sockets" | "subscriptions" | "messages" | "fanOutGroups"> {
  const registers = [registry];
  const sockets = new Gauge({ name: "souk_sockets", help: "Open WebSockets.", registers });
  const subscriptions = new Gauge({
    name: "souk_subscriptions",
    help: "Running subscriptions.",
    registers,
  });
  const messages = new Counter({
    name: "souk_messages_total",
    help: "Messages of subscriptions handed to sockets.",
    registers,
  });
  const groups = new Gauge({
    name: "souk_fan_out_groups",
    help: "Groups of subscribers that share their messages.",
    registers,
  });
  return {
    sockets: (by) => sockets.inc(by),
    subscriptions: (by) => subscriptions.inc(by),
    messages: (count) => messages.inc(count),
    fanOutGroups: (by) => groups.inc(by),
  };
}
