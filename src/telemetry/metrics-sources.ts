/**
 * Gauges that are read from a server: Redis about itself, and
 * backlogs in Redis and Postgres. Each source is read at most
 * once in {@link INTERVAL_MS}. A scrape waits at most {@link
 * SOURCE_DEADLINE_MS}. A number that cannot be read is left out,
 * never shown old.
 */
import { Gauge, type Registry } from "prom-client";
import { own } from "../domain/own.js";
import { lateError, withDeadline } from "../domain/time/deadline.js";
import { SECOND } from "../domain/time/time.js";

/** Numbers of the Redis server by name, e.g. `used_memory_bytes`. */
export type RedisInfo = () => Promise<Readonly<Record<string, number>>>;

/**
 * Rows that wait, rows set aside, and the age of the oldest that
 * waits.
 */
export type OutboxNumbers = () => Promise<{
  readonly waiting: number;
  readonly setAside: number;
  readonly oldestMs: number;
}>;

/** Gauges that are read together. */
export interface GaugeSource {
  /** What each says, by name. */
  readonly helps: Readonly<Record<string, string>>;
  /** Numbers by name; a missing one is not shown. */
  read(): Promise<Readonly<Record<string, number>>>;
}

export interface MetricsSources {
  readRedisFrom(info: RedisInfo): void;
  readOutboxFrom(numbers: OutboxNumbers): void;
  /** Gauges of a subject. */
  addGauges(source: GaugeSource): void;
}

const INTERVAL_MS = 5 * SECOND;
const SOURCE_DEADLINE_MS = SECOND;

/** Something that is read before a scrape is answered. */
type Refresh = () => Promise<void>;

/** The sources of one registry. `refresh` never rejects. */
export function createMetricsSources(
  registry: Registry,
): MetricsSources & { readonly refresh: Refresh } {
  const refreshes: Refresh[] = [];
  const add = <T>(read: () => Promise<T>, show: (numbers: T | null) => void): void =>
    void refreshes.push(polled(read, show));
  return {
    readRedisFrom: (info) => add(info, redisGauges(registry)),
    readOutboxFrom: (numbers) => add(numbers, outboxGauges(registry)),
    addGauges: ({ helps, read }) => add(read, gaugesOf(registry, helps)),
    async refresh() {
      await Promise.all(refreshes.map((refresh) => refresh()));
    },
  };
}

/**
 * Reads at most once in {@link INTERVAL_MS}. Reads never
 * overlap, even if a source hangs.
 */
function polled<T>(read: () => Promise<T>, show: (numbers: T | null) => void): Refresh {
  let readAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<T> | null = null;
  return async () => {
    if (performance.now() - readAt < INTERVAL_MS) return;
    readAt = performance.now();
    underWay ??= read().finally(() => {
      underWay = null;
    });
    show(
      await withDeadline(
        underWay,
        SOURCE_DEADLINE_MS,
        lateError("no answer", SOURCE_DEADLINE_MS),
      ).catch(() => null),
    );
  };
}

function gaugesOf(registry: Registry, helps: Readonly<Record<string, string>>) {
  const gauges = Object.entries(helps).map(([name, help]) => ({
    name,
    gauge: new Gauge({ name, help, registers: [registry] }),
  }));
  return (numbers: Readonly<Record<string, number>> | null): void => {
    for (const { name, gauge } of gauges) {
      gauge.remove();
      const value = own(numbers, name);
      if (value !== undefined) gauge.set(value);
    }
  };
}

function redisGauges(registry: Registry) {
  const registers = [registry];
  const gauge = new Gauge({
    name: "souk_redis_server",
    help: "What the Redis server says of itself.",
    labelNames: ["what"],
    registers,
  });
  const up = new Gauge({
    name: "souk_redis_up",
    help: "1 when the Redis server answered the last time it was asked.",
    registers,
  });
  return (numbers: Readonly<Record<string, number>> | null): void => {
    gauge.reset();
    for (const [what, value] of Object.entries(numbers ?? {})) gauge.set({ what }, value);
    up.set(Number(numbers !== null));
  };
}

function outboxGauges(registry: Registry) {
  const registers = [registry];
  const help = "Rows of the outbox: waiting, or set aside.";
  const rows = new Gauge({ name: "souk_outbox_rows", help, labelNames: ["state"], registers });
  const oldest = new Gauge({
    name: "souk_outbox_oldest_seconds",
    help: "Age of the oldest outbox row that waits.",
    registers,
  });
  return (numbers: Awaited<ReturnType<OutboxNumbers>> | null): void => {
    rows.reset();
    oldest.remove();
    if (numbers === null) return;
    rows.set({ state: "waiting" }, numbers.waiting);
    rows.set({ state: "set_aside" }, numbers.setAside);
    oldest.set(numbers.oldestMs / SECOND);
  };
}
