/**
 * Changes of products by admins. The service checks rights and
 * bounds; ids are read here.
 */
import { Arg, Args, Ctx, ID, Mutation, Resolver } from "type-graphql";
import { requireAdmin } from "../../domain/account/principal.js";
import type { CurrencyCode } from "../../domain/catalogue/money.js";
import type { UserError } from "../../domain/errors.js";
import { decodeIdOf, type NodeType } from "../../domain/ids.js";
import { AdjustStockArgs, ProductInput, ProductPayload } from "../../schema/product/change.js";
import type { Products, WriteOutcome } from "../../services/catalogue/products.js";
import type { RequestContext } from "../context.js";
import { toVisibleProduct } from "./product.js";

/** The mutations of products. */
@Resolver()
export class ProductMutations {
  constructor(
    private readonly products: Products,
    private readonly currency: CurrencyCode,
  ) {}

  @Mutation(() => ProductPayload, {
    description:
      "Creates a product, replaces everything about the one with the same sku, or revives a " +
      "removed one. Safe to repeat. ADMIN only, otherwise UNAUTHENTICATED or FORBIDDEN.",
  })
  async upsertProduct(
    @Arg("input", () => ProductInput, { description: "What the product is to be." })
    input: ProductInput,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductPayload> {
    const brandId = readKey("Brand", input.brandId, ["input", "brandId"]);
    const categoryId = readKey("Category", input.categoryId, ["input", "categoryId"]);
    if (!isKey(brandId) || !isKey(categoryId)) return refusedChange(ctx, [brandId, categoryId]);
    const { sku, name, description, price, stock } = input;
    return this.show(
      ctx,
      await this.products.upsert(ctx.principal, {
        sku,
        name,
        description,
        brandId,
        categoryId,
        price,
        stock,
      }),
    );
  }

  @Mutation(() => ProductPayload, {
    description:
      "Adds to a product's stock or takes from it, in one step that never goes below zero. " +
      "Without `operationId` it must not be repeated blindly. ADMIN only, otherwise " +
      "UNAUTHENTICATED or FORBIDDEN.",
  })
  async adjustStock(
    @Args(() => AdjustStockArgs) { id, by, operationId }: AdjustStockArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductPayload> {
    const key = readKey("Product", id, ["id"]);
    if (!isKey(key)) return refusedChange(ctx, [key]);
    return this.show(
      ctx,
      await this.products.adjustStock(ctx.principal, {
        id: key,
        by,
        ...(typeof operationId === "string" ? { operationId } : {}),
      }),
    );
  }

  @Mutation(() => ProductPayload, {
    description:
      "Removes a product from the shop: from then on it is null wherever it could be read. " +
      "Its reviews and its sku are kept for a revival. ADMIN only, otherwise UNAUTHENTICATED " +
      "or FORBIDDEN.",
  })
  async removeProduct(
    @Arg("id", () => ID, {
      description:
        "The product. INVALID when it is not the id of a product, NOT_FOUND when there is " +
        "none behind it.",
    })
    id: string,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductPayload> {
    const key = readKey("Product", id, ["id"]);
    return isKey(key)
      ? this.show(ctx, await this.products.remove(ctx.principal, key))
      : refusedChange(ctx, [key]);
  }

  private show(ctx: RequestContext, { product, errors, seen }: WriteOutcome): ProductPayload {
    if (seen) ctx.wrote(seen);
    return { product: errors.length > 0 ? null : toVisibleProduct(product, this.currency), errors };
  }
}

/** The key inside a global id, or the error about another id. */
function readKey(type: NodeType, id: string, field: readonly string[]): number | UserError {
  return (
    decodeIdOf(type, id) ?? {
      code: "INVALID",
      message: `This is not the id of a ${type.toLowerCase()}.`,
      field,
    }
  );
}

const isKey = (read: number | UserError): read is number => typeof read === "number";

/**
 * Errors about ids. The caller's right is checked first, as the
 * service does for the rest.
 */
function refusedChange(ctx: RequestContext, read: readonly (number | UserError)[]): ProductPayload {
  requireAdmin(ctx.principal);
  return { product: null, errors: read.flatMap((key) => (isKey(key) ? [] : [key])) };
}
