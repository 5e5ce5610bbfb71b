/** Lists of products: what a filter means, and its page. */
import type { ProductFilter } from "../../domain/catalogue/catalogue.js";
import { BadUserInput } from "../../domain/errors.js";
import { decodeIdOf, type NodeType } from "../../domain/ids.js";
import { MAX_SEARCH_LENGTH } from "../../schema/page.js";
import type { ProductFilterInput, SortedPageArgs } from "../../schema/product/list.js";
import type { RequestContext } from "../context.js";
import { ListPage, pageRequest, searchText } from "../list.js";

/** A page of products. */
export type ProductList = ListPage<ProductFilter>;

/**
 * Reads a page of the products that pass a filter. Equal filters
 * name one list, so their cursors fit.
 */
export async function productList(
  ctx: RequestContext,
  filter: ProductFilter,
  args: SortedPageArgs,
): Promise<ProductList> {
  const sort = args.sort ?? "NEWEST";
  const list = { name: `products:${sort}:${JSON.stringify(filter)}`, sortedBy: "number" } as const;
  const page = pageRequest(list, args);
  return new ListPage(
    list,
    filter,
    page,
    await ctx.loaders.productPage.load({ filter, sort, page }),
  );
}

/**
 * Reads a client's filter. Null and blank conditions are left
 * out; the order is fixed. Throws BadUserInput with the path of
 * an impossible condition.
 */
export function toProductFilter(input: ProductFilterInput | null | undefined): ProductFilter {
  const minPrice = listPrice(input, "minPrice");
  const maxPrice = listPrice(input, "maxPrice");
  if (minPrice !== undefined && maxPrice !== undefined && minPrice > maxPrice) {
    throw new BadUserInput("filter.minPrice is above filter.maxPrice.", ["filter", "minPrice"]);
  }
  return compact({
    categoryId: listKey("Category", input, "categoryId"),
    brandId: listKey("Brand", input, "brandId"),
    minPrice,
    maxPrice,
    inStock: input?.inStock ?? undefined,
    text: searchText(input?.text, { maxLength: MAX_SEARCH_LENGTH, argument: ["filter", "text"] }),
  });
}

function listKey(
  type: NodeType,
  input: ProductFilterInput | null | undefined,
  name: "categoryId" | "brandId",
): number | undefined {
  const id = input?.[name];
  if (id === null || id === undefined) return undefined;
  const key = decodeIdOf(type, id);
  if (key === null)
    throw new BadUserInput(`filter.${name} is not the id of a ${type.toLowerCase()}.`, [
      "filter",
      name,
    ]);
  return key;
}

function listPrice(
  input: ProductFilterInput | null | undefined,
  name: "minPrice" | "maxPrice",
): number | undefined {
  const price = input?.[name] ?? undefined;
  if (price !== undefined && price < 0)
    throw new BadUserInput(`filter.${name} must be 0 or more, not ${price}.`, ["filter", name]);
  return price;
}

type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

/**
 * Drops undefined conditions, so that equal filters are spelled
 * equally.
 */
function compact(filter: Loose<Required<ProductFilter>>): ProductFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
