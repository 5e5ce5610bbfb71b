/**
 * Counts views and shares of products, and reads them.
 * Redis counts; Postgres has what was flushed, and
 * answers readers alone where Redis does not. An event
 * that Redis refuses is refused. One that it did not
 * answer may be counted, and the error says so.
 */
import type { CounterTable } from "../../db/counters/counters.js";
import type { Owner } from "../../domain/account/guest.js";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import { type PeopleCount, peopleCount, type Tally, type TallyKey } from "../../domain/counters.js";
import {
  RedisUnavailable,
  ServiceUnavailable,
  type UserError,
  userError,
} from "../../domain/errors.js";
import { sha256Bytes } from "../../domain/hash.js";
import {
  type CalendarSpan,
  dayAt,
  dayNumber,
  dayOf,
  monthOf,
} from "../../domain/leaderboard/calendar.js";
import { ReadContext } from "../../domain/reading/read-context.js";
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
import { createCounterReading } from "./reading.js";
import { type CounterReload, MAX_ATTEMPTS } from "./reload.js";
import type { StatsPublisher } from "./stats-publisher.js";

/** A view or a share. */
export interface ProductAction {
  /** Null when there is none. */
  readonly product: ProductRecord | null;
  /** Called only when it counts: it may make a guest. */
  readonly owner: () => Owner;
  /** Makes it safe to repeat. */
  readonly operationId: string | undefined;
}

export interface Counters {
  /** Counts once per viewer and window. Throws {@link Uncounted}. */
  view(action: ProductAction): Promise<readonly UserError[]>;
  /** Counts a share. Throws {@link Uncounted}. */
  share(action: ProductAction): Promise<readonly UserError[]>;
  /** Tallies in the order asked; `reading` notes a fallback. */
  read(keys: readonly TallyKey[], reading: ReadContext): Promise<Tally[]>;
  /** Viewers of the last days, with today. Throws RedisUnavailable. */
  viewers(productId: number, days: number): Promise<PeopleCount>;
}

export interface CountersDeps {
  readonly store: CounterStore;
  readonly ranges: ViewerRanges;
  readonly reload: CounterReload;
  readonly table: Pick<CounterTable, "stored">;
  readonly publisher: Pick<StatsPublisher, "publish">;
  readonly clock: Pick<RedisClock, "nowMs" | "observe">;
  /** Opened by a failed read; later reads use Postgres. */
  readonly breaker: Breaker;
}

/** Sent again after a load, or with the day of the Redis clock. */
const UNREADY: ReadonlySet<Counted["state"]> = new Set([
  NOT_LOADED,
  "not-claimed",
  "outside-window",
]);

const VIEWER_BYTES = 8;
/** 8 characters of base64url (counters.operations.lua). */
const OPERATION_BYTES = 6;

/** Redis refused the event, or did not confirm it. */
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

export function createCounters(deps: CountersDeps): Counters {
  const { store, clock, ranges } = deps;
  const read = createCounterReading({ ...deps, nowMs: clock.nowMs });
  return {
    view: (action) =>
      perform(deps, action, "view", (event, who) => store.view(event, viewerName(who))),
    share: (action) => perform(deps, action, "share", (event) => store.share(event)),
    read,
    async viewers(productId, days) {
      const today = dayNumber(clock.nowMs());
      const spans = Array.from({ length: days }, (_, at) => dayAt(today - days + 1 + at));
      return viewersOf({ ranges, read }, productId, spans);
    },
  };
}

async function perform(
  deps: CountersDeps,
  { product, owner, operationId }: ProductAction,
  kind: "view" | "share",
  send: (event: CounterEvent, who: Owner) => Promise<Counted>,
): Promise<readonly UserError[]> {
  const error = checkProduct(product) ?? checkOperationId(operationId);
  if (error || !product) return error ? [error] : [];
  const who = owner();
  const operation = operationId === undefined ? undefined : uncountedName(kind, who, operationId);
  const eventNow = () => eventAt(product.id, deps.clock.nowMs(), operation);
  const counted = countEvent(deps, eventNow, (event) => send(event, who));
  const { state, nowMs } = await counted.catch((error: unknown) => {
    if (!(error instanceof RedisUnavailable)) throw error;
    if (error.mayBeDone) deps.publisher.publish(product.id, deps.clock.nowMs());
    throw new Uncounted(error, operationId);
  });
  if (state === "full") return [FULL];
  if (state === "counted") deps.publisher.publish(product.id, nowMs);
  return [];
}

/** Sends an event until Redis can count it. */
function countEvent(
  { reload, clock }: Pick<CountersDeps, "reload" | "clock">,
  eventNow: () => CounterEvent,
  send: (event: CounterEvent) => Promise<Counted>,
): Promise<Counted> {
  let event = eventNow();
  let state: Counted["state"] = NOT_LOADED;
  const ask = async (): Promise<Counted | NotLoaded> => {
    event = eventNow();
    const counted = await send(event);
    if (counted.nowMs > 0) clock.observe(counted.nowMs);
    state = counted.state;
    return UNREADY.has(state) ? NOT_LOADED : counted;
  };
  const load = async (): Promise<void> => {
    if (state === "not-claimed") await reload.claimShard(shardOf(event.productId));
    else if (state === NOT_LOADED) await reload.load(talliesOf(event), clock.nowMs());
  };
  return askLoaded(ask, load, { attempts: MAX_ATTEMPTS });
}

const eventAt = (
  productId: number,
  nowMs: number,
  operation: OperationName | undefined,
): CounterEvent => ({ productId, day: dayOf(nowMs), month: monthOf(nowMs), operation });

/** The tallies that an event counts in. */
const talliesOf = ({ productId, month, day }: CounterEvent): TallyKey[] =>
  (["all", month, day] as const).map((period) => ({ productId, period }));

/** Viewers of a product over consecutive days. */
async function viewersOf(
  { ranges, read }: Pick<CountersDeps, "ranges"> & Pick<Counters, "read">,
  productId: number,
  spans: readonly CalendarSpan[],
): Promise<PeopleCount> {
  const reading = new ReadContext();
  // Loads what is missing: without it, sets count too few.
  const [whole] = await read(
    [{ productId, period: "all" }, ...spans.map((period) => ({ productId, period }))],
    reading,
  );
  if (reading.isProvisional) throw new RedisUnavailable();
  return whole?.viewers.exact
    ? peopleCount(await ranges.known(productId, spans[0] as CalendarSpan), true)
    : peopleCount(await ranges.estimate(productId, spans), false);
}

/** A pseudonym of 64 bits, unique among viewers of a product. */
const viewerName = (owner: Owner): string =>
  sha256Bytes(owner.kind === "user" ? `user:${owner.userId}` : `guest:${owner.guestId}`)
    .subarray(0, VIEWER_BYTES)
    .toString("base64url");

/**
 * The name of an operation among those of its product.
 * The operations of a user share one slot, so they
 * displace few of other callers. Guests share their
 * ids, over all slots: a retry without its answer
 * comes as another guest.
 */
function uncountedName(kind: string, owner: Owner, operationId: string): OperationName {
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

/** Null for a product that can be counted. */
export function checkProduct(product: ProductRecord | null): UserError | null {
  if (!product) return userError("NOT_FOUND", ["productId"], "There is no product with this id.");
  return product.removed
    ? userError("PRODUCT_REMOVED", ["productId"], "The product was removed from the shop.")
    : null;
}

const FULL = userError(
  "OUT_OF_RANGE",
  ["productId"],
  `The counter stands at its highest value, ${Number.MAX_SAFE_INTEGER}; nothing was counted.`,
);
