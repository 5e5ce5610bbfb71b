/**
 * Counting what people do with products, and reading it. Redis counts; Postgres has what was flushed, and answers readers alone where
 * Redis does not. A view or a share that cannot be counted is refused, never guessed.
 */
import { createHash } from "node:crypto";
import type { Logger } from "pino";
import type { CounterTable } from "../db/counters.js";
import { type CalendarSpan, dayAt, dayNumber, dayOf, monthOf } from "../domain/calendar.js";
import type { ProductRecord } from "../domain/catalogue.js";
import { type PeopleCount, peopleCount, type Tally, type TallyKey } from "../domain/counters.js";
import { RedisUnavailable, type UserError } from "../domain/errors.js";
import type { Owner } from "../domain/guest.js";
import { type Counted, type CounterEvent, type CounterStore, shardOf } from "../redis/counters.js";
import type { ViewerRanges } from "../redis/counters-range.js";
import { createCounterReading } from "./counter-reading.js";
import { type CounterTrust, MOST_ATTEMPTS } from "./counter-trust.js";
import { checkOperationId } from "./operation-id.js";
import type { StatsNews } from "./stats-news.js";

/** Something a person does with a product. */
export interface Doing {
  /** The product as it is known; null when there is none. */
  readonly product: ProductRecord | null;
  /** Who does it; a guest is only made when it counts. */
  readonly owner: () => Owner;
  /** Makes it safe to repeat. */
  readonly operationId: string | undefined;
}

/** Counts and reads. */
export interface Counters {
  /** Counts a view, once per viewer and window. Resolves to what is wrong with it; throws RedisUnavailable. */
  view(doing: Doing): Promise<readonly UserError[]>;
  /** Counts a share. Resolves to what is wrong with it; throws RedisUnavailable. */
  share(doing: Doing): Promise<readonly UserError[]>;
  /** Tallies, in the order asked: from Redis, and from Postgres where Redis does not answer. */
  read(keys: readonly TallyKey[]): Promise<Tally[]>;
  /** How many people viewed a product in the last days, today included. Throws RedisUnavailable: sets cannot be counted without. */
  viewers(productId: number, days: number): Promise<PeopleCount>;
  /** The time as Redis told it last (ms since epoch). */
  nowMs(): number;
}

/** What counting takes. */
export interface CountersParts {
  readonly store: CounterStore;
  readonly ranges: ViewerRanges;
  readonly trust: CounterTrust;
  readonly table: Pick<CounterTable, "stored">;
  readonly news: Pick<StatsNews, "changed">;
  readonly log: Logger;
}

const VIEWER_BYTES = 8;

export function createCounters({ store, ranges, trust, table, news, log }: CountersParts): Counters {
  const clock = createClock();

  const eventOf = (productId: number, operation: string | undefined): CounterEvent => {
    const nowMs = clock.nowMs();
    return { productId, day: dayOf(nowMs), month: monthOf(nowMs), operation };
  };
  const count = async (
    productId: number,
    operation: string | undefined,
    send: (event: CounterEvent) => Promise<Counted>,
  ): Promise<Counted> => {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const event = eventOf(productId, operation);
      const counted = await send(event);
      if (counted.nowMs > 0) clock.hear(counted.nowMs);
      if (counted.state === "unloaded") await trust.adopt(shardOf(productId));
      else if (counted.state === "missing")
        await trust.load(
          [
            { productId, period: "all" },
            { productId, period: event.month },
            { productId, period: event.day },
          ],
          clock.nowMs(),
        );
      else if (counted.state !== "moved") return counted;
    }
    throw new RedisUnavailable(new Error("Redis forgets what it is told about counters"));
  };
  const perform = async (kind: "view" | "share", { product, owner, operationId }: Doing): Promise<readonly UserError[]> => {
    const error = checkProduct(product) ?? checkOperationId(operationId);
    if (error || !product) return error ? [error] : [];
    const who = owner();
    const operation = operationId === undefined ? undefined : operationName(kind, product.id, who, operationId);
    const { state, nowMs } = await count(product.id, operation, (event) =>
      kind === "view" ? store.view(event, viewerName(who)) : store.share(event),
    ).catch((error: unknown) => {
      // It may have been counted all the same.
      news.changed(product.id, clock.nowMs());
      throw error;
    });
    if (state === "full") return [FULL];
    if (state === "counted") news.changed(product.id, nowMs);
    return [];
  };

  const read = createCounterReading({ store, trust, table, nowMs: clock.nowMs, log });
  return {
    view: (doing) => perform("view", doing),
    share: (doing) => perform("share", doing),
    read,
    async viewers(productId, days) {
      const today = dayNumber(clock.nowMs());
      const spans = Array.from({ length: days }, (_, at) => dayAt(today - days + 1 + at));
      // Loads what is not there; where Redis is away, what follows says so.
      const [whole] = await read([{ productId, period: "all" }, ...spans.map((period) => ({ productId, period }))]);
      if (whole?.viewers.exact) return peopleCount(await ranges.known(productId, spans[0] as CalendarSpan), true);
      return peopleCount(await ranges.estimate(productId, spans), false);
    },
    nowMs: clock.nowMs,
  };
}

/** The clock of Redis, as far as this process has heard it. Answers travel, so it may be a little late; the scripts check. */
function createClock() {
  let aheadMs = 0;
  return {
    nowMs: (): number => Date.now() + aheadMs,
    hear(nowMs: number): void {
      aheadMs = nowMs - Date.now();
    },
  };
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Tells people apart and tells nobody who they are: 64 bits, so two of a product's viewers are never one. */
const viewerName = (owner: Owner): string =>
  sha256(owner.kind === "user" ? `user:${owner.userId}` : `guest:${owner.guestId}`)
    .subarray(0, VIEWER_BYTES)
    .toString("base64url");

/** All guests share their operation ids: one whose first answer was lost repeats it as another guest. */
const operationName = (kind: string, productId: number, owner: Owner, operationId: string): string =>
  sha256(`${kind}:${productId}:${owner.kind === "user" ? owner.userId : "guest"}:${operationId}`).toString("base64url");

/** What is wrong with a product that is to be counted for; null when nothing is. */
export function checkProduct(product: ProductRecord | null): UserError | null {
  if (!product) return { code: "NOT_FOUND", message: "There is no product with this id.", field: ["productId"] };
  return product.removed ? { code: "PRODUCT_REMOVED", message: "The product was removed from the shop.", field: ["productId"] } : null;
}

const FULL: UserError = {
  code: "OUT_OF_RANGE",
  message: `The counter stands at its highest value, ${Number.MAX_SAFE_INTEGER}; nothing was counted.`,
  field: ["productId"],
};
