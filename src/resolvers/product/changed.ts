/**
 * The subscription of products: every message is the whole
 * latest value; versions never go back.
 */
import { Arg, Ctx, ID, Resolver, Root, Subscription } from "type-graphql";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import type { CurrencyCode } from "../../domain/catalogue/money.js";
import { BadUserInput } from "../../domain/errors.js";
import { decodeIdOf, encodeId } from "../../domain/ids.js";
import { PAGE_SIZE } from "../../domain/page.js";
import { ProductChange } from "../../schema/product/change.js";
import { Delivers, Shared } from "../../schema/scope.js";
import type { RequestContext } from "../context.js";
import type { WatchEvent } from "../events.js";
import { toVisibleProduct } from "./product.js";

/** `Subscription.productChanged`. */
@Resolver()
export class ProductSubscriptions {
  constructor(private readonly currency: CurrencyCode) {}

  @Subscription(() => ProductChange, {
    topics: "productChanged",
    topicId: ({ args }: { args: { ids: readonly string[] } }) => watchedKeys(args.ids),
    description:
      "Watches products. Delivery class: snapshot. Every message is the whole latest value " +
      "of one product; one comes for each id at the start, then one after every change, " +
      "conflated (the latest wins, at most one per product and 100 ms by default); after any " +
      "doubt, such as a lost connection on our side, the latest values are sent again. Steps " +
      "in between may be skipped, the last one never.",
  })
  @Shared("PUBLIC")
  @Delivers("SNAPSHOT")
  async productChanged(
    @Arg("ids", () => [ID], {
      description:
        `The products to watch: 1 to ${PAGE_SIZE.max} distinct ids of products, otherwise ` +
        "BAD_USER_INPUT.",
    })
    _ids: string[],
    @Root() event: WatchEvent<number>,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductChange> {
    const record = await readAnnounced(event, ctx);
    const version = record?.version ?? 0;
    event.sent.set(event.id, Math.max(version, event.sent.get(event.id) ?? 0));
    return {
      id: encodeId("Product", event.id),
      version: String(version),
      product: toVisibleProduct(record, this.currency),
    };
  }
}

/**
 * Reads the product of an event. A cached value older than the
 * announced or last sent version is read from Postgres.
 */
async function readAnnounced(
  { id, seen, version, sent }: WatchEvent<number>,
  ctx: RequestContext,
): Promise<ProductRecord | null> {
  ctx.wrote({ count: seen, bypassUntilMs: 0 });
  const record = await ctx.loaders.product.load(id);
  const known = Math.max(version, sent.get(id) ?? 0);
  return (record?.version ?? 0) < known ? ctx.fresh().product.load(id) : record;
}

/** The keys to watch. Throws BadUserInput with the first fault. */
function watchedKeys(ids: readonly string[]): number[] {
  const refused = (why: string): BadUserInput => new BadUserInput(why, ["ids"]);
  if (ids.length < 1 || ids.length > PAGE_SIZE.max)
    throw refused(`ids must be 1 to ${PAGE_SIZE.max} ids of products, not ${ids.length}.`);
  if (new Set(ids).size < ids.length) throw refused("ids must be distinct.");
  return ids.map((id) => {
    const key = decodeIdOf("Product", id);
    if (key === null) throw refused("ids holds something that is not the id of a product.");
    return key;
  });
}
