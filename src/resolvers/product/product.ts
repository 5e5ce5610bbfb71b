/** Products and the edges from a product to what it belongs to. */
import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from "type-graphql";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import type { CurrencyCode } from "../../domain/catalogue/money.js";
import { decodeIdOf, encodeId } from "../../domain/ids.js";
import { Brand } from "../../schema/brand.js";
import { Category } from "../../schema/category.js";
import { PageArgs } from "../../schema/page.js";
import { Price, Works } from "../../schema/price.js";
import { ProductConnection, ProductsArgs } from "../../schema/product/list.js";
import { Product, type Rating } from "../../schema/product/product.js";
import { ProductStats } from "../../schema/product/stats.js";
import { ReviewConnection } from "../../schema/review.js";
import { Shared } from "../../schema/scope.js";
import { toBrand } from "../brand.js";
import { toCategory } from "../category.js";
import type { RequestContext } from "../context.js";
import { ListPage, loadEach, pageRequest } from "../list.js";
import { type ProductList, productList, toProductFilter } from "./list.js";

/** A product as clients see it. */
export function toProduct(record: ProductRecord, currency: CurrencyCode): Product {
  return {
    id: encodeId("Product", record.id),
    name: record.name,
    description: record.description,
    sku: record.sku,
    price: { amount: record.price, currency },
    stock: record.stock,
    rating: toRating(record),
    updatedAt: record.updatedAt,
    record,
  };
}

/**
 * A product as clients see it; null when it was removed or never
 * there.
 */
export function toVisibleProduct(
  record: ProductRecord | null,
  currency: CurrencyCode,
): Product | null {
  return record && !record.removed ? toProduct(record, currency) : null;
}

function toRating({ ratingSum, ratingCount }: ProductRecord): Rating {
  return {
    average: ratingCount === 0 ? 0 : Math.round((100 * ratingSum) / ratingCount) / 100,
    count: ratingCount,
  };
}

/** The reviews of the product with this key. */
export type ReviewList = ListPage<number>;

/**
 * Prices: a condition is searched beyond an index; a text is
 * matched word by word; a count visits every match.
 */
const [FILTER, SEARCH, COUNT] = [10, 40, 20];

/** `Query.product`, `Query.products` and the edges of a product. */
@Resolver(() => Product)
export class ProductResolver {
  constructor(private readonly currency: CurrencyCode) {}

  @Query(() => Product, {
    nullable: true,
    description:
      "A product by its id; null when it was removed or never there, or when it is not the " +
      "id of a product.",
  })
  @Shared("PUBLIC", { cached: true })
  async product(
    @Arg("id", () => ID, { description: "The id of a product." }) id: string,
    @Ctx() ctx: RequestContext,
  ): Promise<Product | null> {
    const key = decodeIdOf("Product", id);
    return key === null
      ? null
      : toVisibleProduct(await ctx.loaders.product.load(key), this.currency);
  }

  @Works({ by: "filter", price: FILTER }, { by: "filter.text", price: SEARCH })
  @Query(() => ProductConnection, {
    description: "Products of the shop: filtered, ordered and paged.",
  })
  @Shared("PUBLIC", { cached: true })
  products(
    @Args(() => ProductsArgs) args: ProductsArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductList> {
    return productList(ctx, toProductFilter(args.filter), args);
  }

  @FieldResolver(() => Brand, { description: "Who makes it." })
  @Shared("PUBLIC", { cached: true })
  async brand(@Root() { record }: Product, @Ctx() ctx: RequestContext): Promise<Brand> {
    return toBrand(required(await ctx.loaders.brand.load(record.brandId)));
  }

  @FieldResolver(() => Category, {
    description: "The category it stands in: the lowest one; those above follow by `parent`.",
  })
  @Shared("PUBLIC", { cached: true })
  async category(@Root() { record }: Product, @Ctx() ctx: RequestContext): Promise<Category> {
    return toCategory(required(await ctx.loaders.category.load(record.categoryId)));
  }

  @FieldResolver(() => ReviewConnection, {
    description: "What customers say about it, newest first.",
  })
  @Shared("PUBLIC", { cached: true })
  async reviews(
    @Root() { record: { id } }: Product,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ReviewList> {
    const list = { name: `reviews:${id}`, sortedBy: "number" } as const;
    const page = pageRequest(list, args);
    return new ListPage(list, id, page, await ctx.loaders.reviewPage.load({ productId: id, page }));
  }

  @FieldResolver(() => ProductStats, {
    description: "What people do with it: views, likes, shares.",
  })
  @Shared("PUBLIC")
  stats(@Root() { record }: Product): ProductStats {
    return { productId: record.id };
  }
}

/** What is behind a page of products. */
@Resolver(() => ProductConnection)
export class ProductConnectionResolver {
  constructor(private readonly currency: CurrencyCode) {}

  @FieldResolver()
  edges(@Root() list: ProductList, @Ctx() ctx: RequestContext) {
    return list.edges(async (ids) =>
      (await loadEach(ctx.loaders.product, ids)).map((record) =>
        toVisibleProduct(record, this.currency),
      ),
    );
  }

  @Price(COUNT)
  @FieldResolver()
  totalCount(@Root() list: ProductList, @Ctx() ctx: RequestContext): Promise<number> {
    return ctx.loaders.productCount.load(list.of);
  }
}

/** The row behind a foreign key, which Postgres keeps there. */
export function required<Record>(record: Record | null): Record {
  if (record === null) throw new Error("A row that a foreign key points to was not found.");
  return record;
}
