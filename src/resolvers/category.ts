/** The category tree. */
import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from "type-graphql";
import type { CategoryRecord } from "../domain/catalogue/catalogue.js";
import { decodeIdOf, encodeId } from "../domain/ids.js";
import { Category } from "../schema/category.js";
import { ListSize } from "../schema/price.js";
import { ProductConnection, SortedPageArgs } from "../schema/product/list.js";
import { Shared } from "../schema/scope.js";
import type { RequestContext } from "./context.js";
import { loadEach } from "./list.js";
import { type ProductList, productList } from "./product/list.js";

/** A category as clients see it. */
export function toCategory(record: CategoryRecord): Category {
  return { id: encodeId("Category", record.id), name: record.name, slug: record.slug, record };
}

/** Categories by key, in order, without missing ones. */
async function categoriesOf(ctx: RequestContext, ids: readonly number[]): Promise<Category[]> {
  const records = await loadEach(ctx.loaders.category, ids);
  return records.flatMap((record) => (record ? [toCategory(record)] : []));
}

/**
 * `Query.category`, `Query.categories` and the edges of a
 * category.
 */
@Resolver(() => Category)
export class CategoryResolver {
  @Query(() => Category, {
    nullable: true,
    description:
      "A category by its id; null when there is none, or when it is not the id of a category.",
  })
  @Shared("PUBLIC", { cached: true })
  async category(
    @Arg("id", () => ID, { description: "The id of a category." }) id: string,
    @Ctx() ctx: RequestContext,
  ): Promise<Category | null> {
    const key = decodeIdOf("Category", id);
    const record = key === null ? null : await ctx.loaders.category.load(key);
    return record && toCategory(record);
  }

  @ListSize({ most: 100 })
  @Query(() => [Category], {
    description:
      "All categories in the order of the tree: parents before their children, siblings by name.",
  })
  @Shared("PUBLIC", { cached: true })
  async categories(@Ctx() ctx: RequestContext): Promise<Category[]> {
    return categoriesOf(ctx, await ctx.loaders.categoryIds.load("all"));
  }

  @FieldResolver(() => Category, {
    nullable: true,
    description: "The category above; null at the top of the tree.",
  })
  @Shared("PUBLIC", { cached: true })
  async parent(@Root() { record }: Category, @Ctx() ctx: RequestContext): Promise<Category | null> {
    const parent =
      record.parentId === null ? null : await ctx.loaders.category.load(record.parentId);
    return parent && toCategory(parent);
  }

  @ListSize({ most: 50 })
  @FieldResolver(() => [Category], { description: "The categories right below, by name." })
  @Shared("PUBLIC", { cached: true })
  async children(@Root() { record }: Category, @Ctx() ctx: RequestContext): Promise<Category[]> {
    return categoriesOf(ctx, await ctx.loaders.childCategoryIds.load(record.id));
  }

  @FieldResolver(() => ProductConnection, {
    description: "Products of this category and of all below it.",
  })
  @Shared("PUBLIC", { cached: true })
  products(
    @Root() { record }: Category,
    @Args(() => SortedPageArgs) args: SortedPageArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductList> {
    return productList(ctx, { categoryId: record.id }, args);
  }
}
