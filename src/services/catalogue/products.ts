/**
 * Changes of the catalogue: authorisation, bounds, and
 * order. A change commits with its outbox row. Then
 * the cache is invalidated and the event published,
 * before the caller is answered.
 */
import type { ProductTable } from "../../db/catalogue/products.js";
import type { Tx } from "../../db/client/database.js";
import type { OperationTable } from "../../db/operations.js";
import { type Principal, requireAdmin } from "../../domain/account/principal.js";
import type {
  PlacedProduct,
  ProductDraft,
  ProductRecord,
} from "../../domain/catalogue/catalogue.js";
import { MAX_STOCK } from "../../domain/catalogue/money.js";
import { tagsOfProductChange } from "../../domain/catalogue/tags.js";
import { type UserError, userError } from "../../domain/errors.js";
import { changeEntry, type OutboxEntry } from "../../domain/events/outbox.js";
import type { ShopScore } from "../../domain/leaderboard/leaderboard.js";
import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import { scoreEntries } from "../leaderboard/outbox-kind.js";
import { sold } from "../leaderboard/shop-feed.js";
import { checkOperationId, fingerprint, Refused, refusalIn } from "../operation-id.js";
import { createWriteWithOutbox, type OutboxWriteDeps } from "../outbox/write-with-outbox.js";
import { checkDraft } from "./product-draft.js";

/** `seen` is the consistency token; null when nothing was written. */
export interface WriteOutcome {
  readonly product: ProductRecord | null;
  readonly errors: readonly UserError[];
  readonly seen: ConsistencyToken | null;
}

/** `operationId` makes it safe to repeat. */
export interface StockAdjustment {
  readonly id: number;
  readonly by: number;
  readonly operationId?: string;
}

/**
 * All methods throw Unauthenticated or Forbidden
 * unless the principal is an admin.
 */
export interface Products {
  /** Creates, replaces or revives the product with this sku. */
  upsert(principal: Principal, draft: ProductDraft): Promise<WriteOutcome>;
  /** Adds to the stock; never below zero. */
  adjustStock(principal: Principal, adjustment: StockAdjustment): Promise<WriteOutcome>;
  /** Takes the product out of the shop. */
  remove(principal: Principal, id: number): Promise<WriteOutcome>;
}

export interface ProductsDeps extends OutboxWriteDeps {
  readonly products: ProductTable;
  readonly operations: OperationTable;
}

type Decision = WrittenChange | { readonly refused: UserError } | { readonly repeated: number };

/** A row before and after, and its scores on the shop's boards. */
interface WrittenChange {
  readonly scores?: readonly ShopScore[];
  readonly before: PlacedProduct | null;
  readonly after: PlacedProduct;
}

export function createProducts({ products, operations, ...deps }: ProductsDeps): Products {
  const write = createProductWrite(products, deps);
  return {
    async upsert(principal, input) {
      requireAdmin(principal);
      const { draft, errors } = checkDraft(input);
      if (errors.length > 0) return { ...NOT_WRITTEN, errors };
      return write(async (tx) => {
        const result = await products.upsert(tx, draft);
        return "missing" in result
          ? { refused: notFound(["input", `${result.missing}Id`]) }
          : result;
      });
    },
    async adjustStock(principal, adjustment) {
      requireAdmin(principal);
      const error = checkOperationId(adjustment.operationId);
      if (error) return { ...NOT_WRITTEN, errors: [error] };
      return write((tx) => adjust({ products, operations }, tx, adjustment)).catch((error) => ({
        ...NOT_WRITTEN,
        errors: [refusalIn(error)],
      }));
    },
    async remove(principal, id) {
      requireAdmin(principal);
      return write(async (tx) => {
        const result = await products.remove(tx, id);
        if (typeof result === "object") return result;
        return { refused: result === "missing" ? notFound(["id"]) : removed(["id"]) };
      });
    },
  };
}

/** Writes a decision with the outbox rows of its change. */
function createProductWrite(products: Pick<ProductTable, "byIds">, deps: OutboxWriteDeps) {
  const writeWithOutbox = createWriteWithOutbox(deps);
  return async (decide: (tx: Tx) => Promise<Decision>): Promise<WriteOutcome> => {
    const { decision, seen } = await writeWithOutbox(async (tx) => {
      const made = await decide(tx);
      const owes = "after" in made && hasChanged(made) ? entriesFor(made) : [];
      return { decision: made, owes };
    });
    if ("refused" in decision) return { ...NOT_WRITTEN, errors: [decision.refused] };
    if ("after" in decision) return { product: decision.after.product, errors: [], seen };
    // The product as it is now: this repeats an earlier answer.
    const [product = null] = await products.byIds([decision.repeated]);
    return { product, errors: [], seen: null };
  };
}

async function adjust(
  { products, operations }: Pick<ProductsDeps, "products" | "operations">,
  tx: Tx,
  { id, by, operationId }: StockAdjustment,
): Promise<Decision> {
  if (operationId !== undefined) {
    const print = fingerprint([id, by]);
    const known = await operations.remember(tx, operationId, "adjustStock", print);
    if (!known.first) return known.sameInput ? { repeated: id } : { refused: OTHER_CHANGE };
  }
  const result = await products.adjustStock(tx, id, by);
  // A refusal uses up no operation id: the caller may
  // repeat it when there is stock again.
  if (typeof result !== "object") throw new Refused(STOCK_REFUSALS[result](by));
  const { version } = result.after.product;
  return { ...result, scores: by < 0 ? sold(id, -by, `stock:${id}:${version}`) : [] };
}

const NOT_WRITTEN = { product: null, seen: null };
const hasChanged = ({ before, after }: WrittenChange): boolean =>
  before?.product.version !== after.product.version;

function entriesFor({ before, after, scores = [] }: WrittenChange): OutboxEntry[] {
  const { id, version } = after.product;
  const change = changeEntry({
    tags: tagsOfProductChange(before, after),
    events: [{ topic: { kind: "productChanged", id }, version }],
  });
  return [change, ...scoreEntries(scores)];
}

const notFound = (field: readonly string[]): UserError =>
  userError("NOT_FOUND", field, "There is nothing with this id.");
const removed = (field: readonly string[]): UserError =>
  userError("PRODUCT_REMOVED", field, "The product was removed. Upsert its sku to bring it back.");

const OTHER_CHANGE = userError(
  "IDEMPOTENCY_MISMATCH",
  ["operationId"],
  "This operationId was used for another change. Use a new one for each change, and the " +
    "same one only to repeat it.",
);

const STOCK_REFUSALS: Readonly<
  Record<"missing" | "removed" | "negative" | "tooMuch", (by: number) => UserError>
> = {
  missing: () => notFound(["id"]),
  removed: () => removed(["id"]),
  negative: (by) => userError("OUT_OF_STOCK", ["by"], `There are fewer than ${-by} in stock.`),
  tooMuch: (by) =>
    userError("OUT_OF_RANGE", ["by"], `Adding ${by} would take the stock over ${MAX_STOCK}.`),
};
