/** Brands and lists of them. */

import { Args, Ctx, FieldResolver, Query, Resolver, Root } from "type-graphql";
import type { BrandRecord } from "../domain/catalogue/catalogue.js";
import { encodeId } from "../domain/ids.js";
import { Brand, BrandConnection, BrandsArgs } from "../schema/brand.js";
import { MAX_SEARCH_LENGTH } from "../schema/page.js";
import { Price } from "../schema/price.js";
import { Shared } from "../schema/scope.js";
import type { RequestContext } from "./context.js";
import { ListPage, loadEach, pageRequest, searchText } from "./list.js";

/** A brand as clients see it. */
export function toBrand({ id, name }: BrandRecord): Brand {
  return { id: encodeId("Brand", id), name };
}

/** A page of brands, optionally by prefix of their names. */
type BrandList = ListPage<string | undefined>;

/** `Query.brands`. */
@Resolver(() => Brand)
export class BrandResolver {
  @Query(() => BrandConnection, { description: "Brands in the order of their names." })
  @Shared("PUBLIC", { cached: true })
  async brands(
    @Args(() => BrandsArgs) args: BrandsArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<BrandList> {
    const text = searchText(args.text, { maxLength: MAX_SEARCH_LENGTH, argument: ["text"] });
    const list = { name: `brands:${text ?? ""}`, sortedBy: "string" } as const;
    const page = pageRequest(list, args);
    return new ListPage(
      list,
      text,
      page,
      await ctx.loaders.brandPage.load(text === undefined ? { page } : { text, page }),
    );
  }
}

/** What is behind a page of brands. */
@Resolver(() => BrandConnection)
export class BrandConnectionResolver {
  @FieldResolver()
  edges(@Root() list: BrandList, @Ctx() ctx: RequestContext) {
    return list.edges(async (ids) =>
      (await loadEach(ctx.loaders.brand, ids)).map((record) => record && toBrand(record)),
    );
  }

  @Price(5)
  @FieldResolver()
  totalCount(@Root() list: BrandList, @Ctx() ctx: RequestContext): Promise<number> {
    return ctx.loaders.brandCount.load(list.of ?? "");
  }
}
