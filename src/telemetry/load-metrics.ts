/** Load shedding in metrics and in the log. */
import type { Logger } from "pino";
import { Counter, Gauge, type Registry } from "prom-client";
import { LOAD_CLASSES, type LoadClass, type ShedReason } from "../domain/limits.js";
import { MINUTE } from "../domain/time/time.js";

/** Work under way, by class. */
export interface LoadReading {
  inFlight(loadClass: LoadClass): number;
}

/** Metrics of load shedding. */
export interface LoadMetrics {
  /** Too much was under way, so one was refused. */
  shed(loadClass: LoadClass, reason: ShedReason): void;
  /** Takes the numbers of permits in use from `read`. */
  readLoadFrom(load: LoadReading): void;
}

export function createLoadMetrics(registry: Registry): LoadMetrics {
  let load: LoadReading | null = null;
  const shed = new Counter({
    name: "souk_shed_total",
    help: "Requests and operations that were refused because too much was under way.",
    labelNames: ["class", "reason"],
    registers: [registry],
  });
  new Gauge({
    name: "souk_in_flight",
    help: "Requests and operations under way.",
    labelNames: ["class"],
    registers: [registry],
    collect() {
      for (const name of LOAD_CLASSES) this.set({ class: name }, load?.inFlight(name) ?? 0);
    },
  });
  return {
    shed: (loadClass, reason) => shed.inc({ class: loadClass, reason }),
    readLoadFrom(source) {
      load = source;
    },
  };
}

/** Counts refused work, and logs it once a minute. */
export function reportShedding(
  metrics: Pick<LoadMetrics, "shed">,
  log: Logger,
): Pick<LoadMetrics, "shed"> {
  let loggedAt = Number.NEGATIVE_INFINITY;
  return {
    shed(loadClass, reason) {
      metrics.shed(loadClass, reason);
      if (performance.now() - loggedAt < MINUTE) return;
      loggedAt = performance.now();
      log.warn(
        { class: loadClass, reason },
        "more is asked than this process can do: load is shed (souk_shed_total counts it)",
      );
    },
  };
}
