/**
 * Counting what people do with products, and reading it. Redis counts; Postgres has what was
 * flushed, and answers readers alone where Redis does not. A view or a share that Redis refuses is
 * refused; one that Redis did not answer is unknown, and the error says which.
 */
import type { CounterTable } from "../../db/counters/counters.js";
import type { Owner } from "../../domain/account/guest.js";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import { type PeopleCount, peopleCount, type Tally, type TallyKey } from "../../domain/counters.js";
import { RedisUnavailable, ServiceUnavailable, type UserError } from "../../domain/errors.js";
import { sha256Bytes } from "../../domain/hash.js";
import {
  type CalendarSpan,
  dayAt,
  dayNumber,
  dayOf,
  monthOf,
} from "../../domain/leaderboard/calendar.js";
import { Reading } from "../../domain/reading.js";
import type { Breaker } from "../../redis/client/breaker.js";
import type { RedisClock } from "../../redis/client/clock.js";
import { askLoaded, NOT_LOADED, type NotLoaded } from "../../redis/client/memory-fence.js";
import {
  type Counted,
  type CounterEvent,
  type CounterStore,
  OPERATION_SLOTS,
  type OperationName,
  shardOf,
} from "../../redis/counters/counters.js";
import type { ViewerRanges } from "../../redis/counters/range.js";
import { checkOperationId } from "../operation-id.js";
import type { StatsNews } from "./news.js";
import { createCounterReading } from "./reading.js";
import { type CounterTrust, MAX_ATTEMPTS } from "./reload.js";

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
  /**
   * Counts a view, once per viewer and window. Resolves to what is wrong with it; throws {@link
   * Uncounted}.
   */
  view(doing: Doing): Promise<readonly UserError[]>;
  /** Counts a share. Resolves to what is wrong with it; throws {@link Uncounted}. */
  share(doing: Doing): Promise<readonly UserError[]>;
  /**
   * Tallies, in the order asked: from Redis, and from Postgres where Redis does not answer, which
   * `reading` notes.
   */
  read(keys: readonly TallyKey[], reading: Reading): Promise<Tally[]>;
  /**
   * How many people viewed a product in the last days, today included. Throws RedisUnavailable:
   * sets cannot be counted without.
   */
  viewers(productId: number, days: number): Promise<PeopleCount>;
}

/** What counting takes. */
export interface CountersParts {
  readonly store: CounterStore;
  readonly ranges: ViewerRanges;
  readonly trust: CounterTrust;
  readonly table: Pick<CounterTable, "stored">;
  readonly news: Pick<StatsNews, "changed">;
  readonly clock: Pick<RedisClock, "nowMs" | "hear">;
  /** Opened by a reader that Redis did not answer: the next ones read PostgreSQL at once. */
  readonly breaker: Breaker;
}

/** Sent again: once Redis has what it needs, or with the period of its clock. */
const UNREADY: ReadonlySet<Counted["state"]> = new Set([
  NOT_LOADED,
  "not-adopted",
  "outside-window",
]);

const VIEWER_BYTES = 8;
/** 6 bytes are the 8 characters of base64url that a slot holds (counters.operations.lua). */
const OPERATION_BYTES = 6;

/**
 * An event whose count Redis refused, or did not confirm in time: the message says which, and
 * whether it may be sent again.
 */
export class Uncounted extends ServiceUnavailable {
  constructor(cause: RedisUnavailable, operationId: string | undefined) {
    super(uncounted(cause.mayBeDone, operationId !== undefined), { cause });
  }
}

function uncounted(mayBeCounted: boolean, isRepeatable: boolean): string {
  if (!mayBeCounted) return "Nothing was counted. Send it again in a moment.";
  return isRepeatable
    ? "It may have been counted or not. Send it again with the same operationId: it counts once."
    : "It may have been counted or not. Sent again, it may count twice; with an operationId it " +
        "would count once.";
}

export function createCounters({
  store,
  ranges,
  trust,
  table,
  news,
  clock,
  breaker,
}: CountersParts): Counters {
  const eventOf = (productId: number, operation: OperationName | undefined): CounterEvent => {
    const nowMs = clock.nowMs();
    return { productId, day: dayOf(nowMs), month: monthOf(nowMs), operation };
  };
  const count = async (
    productId: number,
    operation: OperationName | undefined,
    send: (event: CounterEvent) => Promise<Counted>,
  ): Promise<Counted> => {
    let event = eventOf(productId, operation);
    let state: Counted["state"] = NOT_LOADED;
    const ask = async (): Promise<Counted | NotLoaded> => {
      event = eventOf(productId, operation);
      const counted = await send(event);
      if (counted.nowMs > 0) clock.hear(counted.nowMs);
      state = counted.state;
      return UNREADY.has(state) ? NOT_LOADED : counted;
    };
    const load = async (): Promise<void> => {
      const periods = ["all", event.month, event.day] as const;
      const tallies = periods.map((period) => ({ productId, period }));
      if (state === "not-adopted") await trust.adopt(shardOf(productId));
      else if (state === NOT_LOADED) await trust.load(tallies, clock.nowMs());
    };
    return askLoaded(ask, load, { attempts: MAX_ATTEMPTS });
  };
  const perform = async (
    kind: "view" | "share",
    { product, owner, operationId }: Doing,
  ): Promise<readonly UserError[]> => {
    const error = checkProduct(product) ?? checkOperationId(operationId);
    if (error || !product) return error ? [error] : [];
    const who = owner();
    const operation = operationId === undefined ? undefined : operationName(kind, who, operationId);
    const send = (event: CounterEvent) =>
      kind === "view" ? store.view(event, viewerName(who)) : store.share(event);
    const { state, nowMs } = await count(product.id, operation, send).catch((error: unknown) => {
      if (!(error instanceof RedisUnavailable)) throw error;
      if (error.mayBeDone) news.changed(product.id, clock.nowMs());
      throw new Uncounted(error, operationId);
    });
    if (state === "full") return [FULL];
    if (state === "counted") news.changed(product.id, nowMs);
    return [];
  };

  const read = createCounterReading({ store, trust, table, nowMs: clock.nowMs, breaker });
  return {
    view: (doing) => perform("view", doing),
    share: (doing) => perform("share", doing),
    read,
    async viewers(productId, days) {
      const today = dayNumber(clock.nowMs());
      const spans = Array.from({ length: days }, (_, at) => dayAt(today - days + 1 + at));
      const reading = new Reading();
      // Loads what is not there. Sets that could not be loaded would count too few.
      const [whole] = await read(
        [{ productId, period: "all" }, ...spans.map((period) => ({ productId, period }))],
        reading,
      );
      if (reading.isProvisional) throw new RedisUnavailable();
      if (whole?.viewers.exact)
        return peopleCount(await ranges.known(productId, spans[0] as CalendarSpan), true);
      return peopleCount(await ranges.estimate(productId, spans), false);
    },
  };
}

/**
 * Tells people apart and tells nobody who they are: 64 bits, so two of a product's viewers are
 * never one.
 */
const viewerName = (owner: Owner): string =>
  sha256Bytes(owner.kind === "user" ? `user:${owner.userId}` : `guest:${owner.guestId}`)
    .subarray(0, VIEWER_BYTES)
    .toString("base64url");

/**
 * The name of an operation among those of its product. A user's operations share one slot, so that
 * they displace few of other callers. All guests share their operation ids, in all slots: a guest
 * whose first answer was lost repeats it as another guest.
 */
function operationName(kind: string, owner: Owner, operationId: string): OperationName {
  const digest = sha256Bytes(
    `${kind}:${owner.kind === "user" ? owner.userId : "guest"}:${operationId}`,
  );
  const slotOf =
    owner.kind === "user" ? sha256Bytes(`user:${owner.userId}`) : digest.subarray(OPERATION_BYTES);
  return {
    slot: slotOf.readUInt16BE() % OPERATION_SLOTS,
    id: digest.subarray(0, OPERATION_BYTES).toString("base64url"),
  };
}

/** What is wrong with a product that is to be counted for; null when nothing is. */
export function checkProduct(product: ProductRecord | null): UserError | null {
  if (!product)
    return {
      code: "NOT_FOUND",
      message: "There is no product with this id.",
      field: ["productId"],
    };
  return product.removed
    ? {
        code: "PRODUCT_REMOVED",
        message: "The product was removed from the shop.",
        field: ["productId"],
      }
    : null;
}

const FULL: UserError = {
  code: "OUT_OF_RANGE",
  message:
    `The counter stands at its highest value, ${Number.MAX_SAFE_INTEGER}; ` +
    "nothing was counted.",
  field: ["productId"],
};
