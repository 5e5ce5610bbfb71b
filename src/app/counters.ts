/** Views, shares and likes of products, and their popularity. */
import { type CounterSettings, countersConfig } from "../config/counters.js";
import { createCounterTable } from "../db/counters/counters.js";
import { createLikeTable } from "../db/counters/likes.js";
import { SECOND } from "../domain/time/time.js";
import { pruneJob } from "../jobs/prune.js";
import type { JobOptions } from "../jobs/runner.js";
import { createCounterLoaders } from "../loaders/counters.js";
import { createCounterStore } from "../redis/counters/counters.js";
import { createViewerRanges } from "../redis/counters/range.js";
import { ProductStatsResolver } from "../resolvers/product/stats.js";
import { ProductStatsMutations } from "../resolvers/product/stats-change.js";
import { ProductStatsSubscriptions } from "../resolvers/product/stats-changed.js";
import { createCounters } from "../services/counters/counters.js";
import { createCounterFlush } from "../services/counters/flush.js";
import { createLikes } from "../services/counters/likes.js";
import { createPopularity } from "../services/counters/popularity.js";
import { createCounterReload } from "../services/counters/reload.js";
import { createStatsPublisher } from "../services/counters/stats-publisher.js";
import type { GaugeSource } from "../telemetry/metrics-sources.js";
import { SCRAPE_DEADLINE_MS } from "./infrastructure.js";
import { defineSubject, type OpenOptions } from "./module.js";

/**
 * Longest wait for counters. Pages then read Postgres, and ask
 * Redis again once a second.
 */
const COUNTER_DEADLINE_MS = 500;

export const counters = defineSubject({
  name: "counters",
  config: countersConfig,
  resolvers: [ProductStatsResolver, ProductStatsMutations, ProductStatsSubscriptions],
  open(options) {
    const { infrastructure, config } = options;
    const foundations = openCounterFoundations(options);
    return {
      topics: ["productStatsChanged"],
      gauges: [unflushedGauges(options)],
      jobs: () => [...flushJobs(options, foundations), pruneJob("counters", foundations.table)],
      serve() {
        const likeTable = createLikeTable(infrastructure.database);
        const service = serveCounters(options, foundations);
        const likes = createLikes({ ...infrastructure, likes: likeTable });
        const sources = { cache: infrastructure.cache, likes: likeTable, tallies: service };
        return {
          services: { counters: service, likes },
          loaders: (reading) => createCounterLoaders(sources, reading),
          resolvers: [
            new ProductStatsResolver(infrastructure.clock),
            new ProductStatsMutations(service, likes, config.currency),
            new ProductStatsSubscriptions(config.currency),
          ],
        };
      },
    };
  },
});

type CounterFoundations = ReturnType<typeof openCounterFoundations>;

function openCounterFoundations({
  infrastructure: { database, callers, keys },
  settings,
  log,
}: OpenOptions<CounterSettings>) {
  const deadlineMs = COUNTER_DEADLINE_MS;
  const caller = callers.of("counters", { deadlineMs });
  const store = createCounterStore(caller, keys, settings);
  const table = createCounterTable(database);
  return {
    breaker: callers.breaker({
      deadlineMs,
      degraded: { part: "counters", instead: "what was flushed last is read from Postgres" },
    }),
    ranges: createViewerRanges(caller, keys),
    store,
    table,
    reload: createCounterReload({ store, table, log }),
  };
}

function serveCounters(
  { infrastructure, config, log, disposer }: OpenOptions,
  foundations: CounterFoundations,
) {
  const { pubsub, clock } = infrastructure;
  const publisher = createStatsPublisher({ pubsub, everyMs: config.live.conflationMs, log });
  disposer.add(() => publisher.close());
  return createCounters({ ...foundations, publisher, clock });
}

/**
 * Counts are flushed to Postgres, once more at the end. Lists
 * follow their popularity.
 */
function flushJobs(
  { infrastructure, settings, log }: OpenOptions<CounterSettings>,
  foundations: CounterFoundations,
): JobOptions[] {
  const { flush } = createCounterFlush({ ...foundations, clock: infrastructure.clock, log });
  const { refresh } = createPopularity({ ...infrastructure, log });
  const { popularityMs, flushMs } = settings;
  return [
    { name: "popularity", everyMs: popularityMs, work: refresh },
    { name: "flushing counters", everyMs: flushMs, work: flush, atEnd: true },
  ];
}

/** A shorter deadline: a scrape leaves a late number out. */
function unflushedGauges({ infrastructure, settings }: OpenOptions<CounterSettings>): GaugeSource {
  const { callers, keys } = infrastructure;
  const caller = callers.of("counters", { deadlineMs: SCRAPE_DEADLINE_MS });
  const store = createCounterStore(caller, keys, settings);
  return {
    helps: {
      souk_counters_unflushed_fields: "Counts in Redis that PostgreSQL does not have yet.",
      souk_counters_unflushed_seconds: "Age of the oldest of them, at most.",
    },
    async read() {
      const { fields, oldestMs } = await store.unflushed();
      return {
        souk_counters_unflushed_fields: fields,
        souk_counters_unflushed_seconds: oldestMs / SECOND,
      };
    },
  };
}
