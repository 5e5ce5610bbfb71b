/** Counters of tests: a store, its table and what joins them, over one Redis and one database. */

import { sql } from "drizzle-orm";
import { onTestFinished } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import { type CounterTable, createCounterTable } from "../../../src/db/counters/counters.js";
import type { ProductRecord } from "../../../src/domain/catalogue/catalogue.js";
import type { TallyPeriod } from "../../../src/domain/counters.js";
import { ServiceUnavailable } from "../../../src/domain/errors.js";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import type { Breaker } from "../../../src/redis/client/breaker.js";
import { openRedisClock } from "../../../src/redis/client/clock.js";
import {
  connectRedis,
  type RedisConnection,
  whenReady,
} from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { type CounterStore, createCounterStore } from "../../../src/redis/counters/counters.js";
import { createViewerRanges } from "../../../src/redis/counters/range.js";
import { type Counters, createCounters } from "../../../src/services/counters/counters.js";
import { createCounterFlush } from "../../../src/services/counters/flush.js";
import { createCounterReload } from "../../../src/services/counters/reload.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";

/** Everything that counts, as one process has it. */
export interface CounterKit {
  readonly connection: RedisConnection;
  readonly store: CounterStore;
  readonly table: CounterTable;
  readonly counters: Counters;
  readonly breaker: Breaker;
  /** The time by the clock of Redis, in ms since epoch. */
  readonly nowMs: () => number;
  readonly flush: () => Promise<number>;
  /** What was logged as a warning. */
  readonly warnings: string[];
  /** A view by a guest of this name; resolves to the codes of its errors. */
  view(productId: number, guest: string, operationId?: string): Promise<string[]>;
  share(productId: number, operationId?: string): Promise<string[]>;
  /** Views, shares and viewers of a tally, as readers get them. */
  read(
    productId: number,
    period?: TallyPeriod,
  ): Promise<{ views: number; shares: number; viewers: number; exact: boolean }>;
  /** The same as Postgres has it. */
  stored(productId: number): Promise<{ views: number; shares: number; viewers: number }>;
}

/** What a flusher uses. */
export interface FlushParts {
  readonly store: CounterStore;
  readonly table: CounterTable;
}

/** Where a kit stands, and parts of it that a test replaces. */
export interface CounterKitOptions {
  readonly url: string;
  readonly keys: Keys;
  readonly database: Database;
  readonly viewMs?: number;
  readonly operationMs?: number;
  readonly deadlineMs?: number;
  /** Wraps what the flusher uses. */
  readonly wrap?: (parts: FlushParts) => FlushParts;
}

/** Opens a kit on a connection of its own, which goes with the test. */
export async function openCounterKit(options: CounterKitOptions): Promise<CounterKit> {
  const {
    url,
    keys,
    database,
    viewMs = 1_800_000,
    operationMs = 86_400_000,
    deadlineMs = 10_000,
    wrap = (parts) => parts,
  } = options;
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const warnings: string[] = [];
  const log = testLog().child({});
  log.warn = log.error = ((...words: unknown[]) =>
    void warnings.push(String(words.at(-1)))) as typeof log.warn;
  const breaker = testCaller(connection, { deadlineMs });
  const store = createCounterStore(breaker, keys, { viewMs, operationMs });
  const table = createCounterTable(database);
  const reload = createCounterReload({ store, table, log });
  const clock = await openRedisClock({
    connection,
    telemetry: silentTelemetry,
    instead: async () => Date.now(),
  });
  onTestFinished(() => clock.close());
  const counters = createCounters({
    store,
    ranges: createViewerRanges(breaker, keys),
    reload,
    table,
    publisher: { publish() {} },
    clock,
    breaker,
  });
  const { flush } = createCounterFlush({ ...wrap({ store, table }), reload, clock, log });
  const doing = (productId: number, guestId: string, operationId?: string) => ({
    product: { id: productId, removed: false } as ProductRecord,
    owner: () => ({ kind: "guest", guestId }) as const,
    operationId,
  });
  const codes = (errors: readonly { code: string }[]): string[] => errors.map(({ code }) => code);
  return {
    connection,
    store,
    table,
    counters,
    breaker,
    nowMs: clock.nowMs,
    flush,
    warnings,
    view: async (productId, guest, operationId) =>
      codes(await counters.view(doing(productId, guest, operationId))),
    share: async (productId, operationId) =>
      codes(await counters.share(doing(productId, "anybody", operationId))),
    async read(productId, period = "all") {
      const [tally] = await counters.read([{ productId, period }], new ReadContext());
      if (!tally) throw new Error("no tally");
      const { views, shares, viewers } = tally;
      return { views, shares, viewers: viewers.estimate, exact: viewers.exact };
    },
    async stored(productId) {
      const [row] = await database.query<{ views: number; shares: number; viewers: number }>(
        sql`SELECT views, shares, viewers FROM product_tallies
          WHERE product_id = ${productId} AND period = 'all'`,
      );
      return row ?? { views: 0, shares: 0, viewers: 0 };
    },
  };
}

/** Products 1 to `count` that nobody has seen. */
export async function stockProducts(database: Database, count: number): Promise<void> {
  await database.query(
    sql`INSERT INTO categories (id, parent_id, name, slug, path)
      VALUES (1, NULL, 'Home', 'home', '{1}')`,
  );
  await database.query(sql`INSERT INTO brands (id, name) VALUES (1, 'Alder')`);
  await database.query(sql`INSERT INTO products
      (id, sku, name, description, brand_id, category_id, price, stock)
    SELECT number, 'sku-' || number, 'Thing', '', 1, 1, 100, 1
    FROM generate_series(1, ${count}::integer) AS number`);
}

/** The steps of a flush, in order. */
export const STEPS = ["cutBatch", "sketches", "apply", "ackBatch"] as const;

/** Where a flusher ends: before or after one of its steps; nowhere while `armed` is false. */
export interface Crash {
  step: (typeof STEPS)[number];
  when: "before" | "after";
  armed: boolean;
}

/** Ends a flusher there. */
export function dying({ store, table }: FlushParts, crash: Crash): FlushParts {
  // No item is to blame, so nothing else is tried, as in a process that ends.
  const killed = () => Promise.reject(new ServiceUnavailable("killed"));
  const wrapped =
    <A extends unknown[], T>(name: string, call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const here = crash.armed && name === crash.step;
      if (here && crash.when === "before") return killed();
      const answer = await call(...args);
      return here ? killed() : answer;
    };
  return {
    store: {
      ...store,
      cutBatch: wrapped("cutBatch", store.cutBatch),
      sketches: wrapped("sketches", store.sketches),
      ackBatch: wrapped("ackBatch", store.ackBatch),
    },
    table: { ...table, apply: wrapped("apply", table.apply) },
  };
}
