/**
 * `npm run reconcile -- [--repair]`: compares the counters of
 * Redis and Postgres.
 */
import { parseArgs } from "node:util";
import { settingsOf } from "../config/config.js";
import { countersConfig } from "../config/counters.js";
import { createCounterTable } from "../db/counters/counters.js";
import { createLikeTable } from "../db/counters/likes.js";
import { createOutboxTable } from "../db/outbox.js";
import { StartupError } from "../domain/errors.js";
import { SECOND } from "../domain/time/time.js";
import { createCallers } from "../redis/client/call.js";
import { connectRedis, whenReady } from "../redis/client/connect.js";
import { createKeys } from "../redis/client/keys.js";
import { createCounterStore } from "../redis/counters/counters.js";
import { type Reconciliation, reconcile } from "../services/counters/reconcile.js";
import { grouped } from "../telemetry/progress.js";
import { runCommand, usage } from "./command.js";

const RECONCILE_USAGE =
  "Usage: npm run reconcile -- [--repair]\n\n" +
  "Compares what was counted about products in Redis (REDIS_URL) with what PostgreSQL " +
  "(DATABASE_URL) has and what is still to be flushed, and\n" +
  "numbers of likes with the likes themselves. Says what differs; exit code 2 when something " +
  "does.\n" +
  "  --repair   makes Redis read PostgreSQL again, and counts likes anew; exit code 0";

const MAX_SHOWN_PRODUCTS = 100;
const ANSWER_MS = 5 * SECOND;

const repair = readReconcileArguments();
await runCommand(
  async ({ config, database, log }) => {
    const { url, caFile } = config.redis;
    if (url === undefined)
      throw new StartupError(
        "Reconciling needs REDIS_URL: the Redis that counts. The embedded one runs only while " +
          "the shop does.",
      );
    const connection = connectRedis({ url, caFile, role: "requests", log });
    try {
      await whenReady(connection, ANSWER_MS);
      const caller = createCallers({ connection }).of("counters", { deadlineMs: ANSWER_MS });
      const store = createCounterStore(caller, createKeys(), settingsOf(config, countersConfig));
      const tables = {
        table: createCounterTable(database),
        likes: createLikeTable(database),
        outboxTable: createOutboxTable(database),
      };
      return show(await reconcile({ store, ...tables }, repair));
    } finally {
      connection.disconnect();
    }
  },
  [countersConfig],
);

function show({ products, compared, disagreements }: Reconciliation): number {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(`${grouped(products)} products have been counted; Redis holds ${grouped(compared)} of them.`);
  for (const { productId, what, excess } of disagreements.slice(0, MAX_SHOWN_PRODUCTS))
    say(`  product ${productId}: ${Math.abs(excess)} ${what} too ${excess > 0 ? "many" : "few"}`);
  if (disagreements.length > MAX_SHOWN_PRODUCTS)
    say(`  and ${grouped(disagreements.length - MAX_SHOWN_PRODUCTS)} more`);
  say(
    disagreements.length === 0
      ? "Everything agrees."
      : `${grouped(disagreements.length)} numbers differ${repair ? "; all were repaired" : ""}.`,
  );
  return disagreements.length === 0 || repair ? 0 : 2;
}

function readReconcileArguments(): boolean {
  try {
    const { values } = parseArgs({
      options: {
        repair: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    return values.help ? usage(RECONCILE_USAGE, 0) : values.repair;
  } catch (error) {
    return usage(`${(error as Error).message}\n\n${RECONCILE_USAGE}`, 1);
  }
}
