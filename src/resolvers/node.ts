/** Fetches anything by its global id. */
import { Arg, Args, Ctx, ID, Query, Resolver } from "type-graphql";
import type { CurrencyCode } from "../domain/catalogue/money.js";
import { decodeId, type NodeId } from "../domain/ids.js";
import { PAGE_SIZE } from "../domain/page.js";
import { Node, NodesArgs } from "../schema/node.js";
import { ListSize } from "../schema/price.js";
import type { Leaderboards } from "../services/leaderboard/leaderboards.js";
import { visibleUser } from "./account/viewer.js";
import { toBrand } from "./brand.js";
import { toCategory } from "./category.js";
import type { RequestContext } from "./context.js";
import { toLeaderboard } from "./leaderboard/leaderboard.js";
import { visibleNotification } from "./notification.js";
import { toVisibleProduct } from "./product/product.js";
import { visibleReview } from "./review.js";

/** `Query.node` and `Query.nodes`. */
@Resolver()
export class NodeResolver {
  constructor(
    private readonly currency: CurrencyCode,
    private readonly boards: Pick<Leaderboards, "byIds">,
  ) {}

  @Query(() => Node, {
    nullable: true,
    description:
      "Anything by its global id; null when it was removed or never there, or when it is not " +
      "an id of this shop.",
  })
  async node(
    @Arg("id", () => ID, { description: "A global id of any type." }) id: string,
    @Ctx() ctx: RequestContext,
  ): Promise<Node | null> {
    const nodeId = decodeId(id);
    return nodeId && this.read(nodeId, ctx);
  }

  @ListSize({ by: "ids", most: PAGE_SIZE.max })
  @Query(() => [Node], {
    nullable: "items",
    description:
      "Several things by their global ids: one answer for each id, in the order of the ids; " +
      "null where `node` is null.",
  })
  async nodes(
    @Args(() => NodesArgs) { ids }: NodesArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<(Node | null)[]> {
    return Promise.all(ids.map((id) => this.node(id, ctx)));
  }

  private async read({ type, key }: NodeId, ctx: RequestContext): Promise<Node | null> {
    switch (type) {
      case "Product":
        return toVisibleProduct(await ctx.loaders.product.load(key), this.currency);
      case "Category":
        return shown(await ctx.loaders.category.load(key), toCategory);
      case "Brand":
        return shown(await ctx.loaders.brand.load(key), toBrand);
      case "Review":
        return visibleReview(ctx, key);
      case "User":
        return visibleUser(ctx, key);
      case "Leaderboard":
        return shown((await this.boards.byIds([key]))[0] ?? null, toLeaderboard);
      case "Notification":
        return visibleNotification(ctx, key);
    }
  }
}

function shown<Record, Shown>(
  record: Record | null,
  show: (record: Record) => Shown,
): Shown | null {
  return record === null ? null : show(record);
}
