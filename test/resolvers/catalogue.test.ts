import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { encodeCursor } from "../../src/domain/page.js";
import { type RunningApp, startApp } from "../support/app.js";
import {
  ListBrandsDocument,
  ListCategoryProductsDocument,
  ListProductsDocument,
  type ListProductsQuery,
  ListReviewsDocument,
  type ProductFilter,
  type ProductSort,
  ReadCategoriesDocument,
  ReadNodeDocument,
  ReadNodesDocument,
  ReadProductDocument,
} from "../support/generated/operations.js";
import { createShop, type Shop } from "../support/shop.js";

const PRODUCTS = 200;
const NOWHERE = 999_999_999;
type ListedProduct = ListProductsQuery["products"]["edges"][number]["node"];

let app: RunningApp;
let shop: Shop;
let everything: ListedProduct[];

beforeAll(async () => {
  app = await startApp({ products: PRODUCTS });
  shop = createShop(app);
  everything = await allOf();
});
afterAll(() => app?.close());

/** Reads a list page by page to its end. */
async function allOf({
  filter,
  sort,
  first = 37,
}: {
  filter?: ProductFilter;
  sort?: ProductSort;
  first?: number;
} = {}): Promise<ListedProduct[]> {
  const nodes: ListedProduct[] = [];
  for (let after: string | null = null; ; ) {
    const { products }: ListProductsQuery = await shop.read(ListProductsDocument, {
      ...(filter && { filter }),
      ...(sort && { sort }),
      first,
      after,
    });
    expect(products.pageInfo.hasPreviousPage).toBe(after !== null);
    expect(products.pageInfo.startCursor).toBe(products.edges[0]?.cursor ?? null);
    expect(products.pageInfo.endCursor).toBe(products.edges.at(-1)?.cursor ?? null);
    nodes.push(...products.edges.map(({ node }) => node));
    if (!products.pageInfo.hasNextPage) return nodes;
    after = products.pageInfo.endCursor;
  }
}

const idsOf = (products: readonly { id: string }[]): string[] => products.map(({ id }) => id);
const refusedList = (variables: { filter?: ProductFilter; first?: number; after?: string }) =>
  shop.refusal(ListProductsDocument, variables);
const refused = (argument: string) => ({ code: "BAD_USER_INPUT", argument });

describe("a list of products", () => {
  it("A list holds every product once, whatever the page size.", async () => {
    expect(new Set(idsOf(everything)).size).toBe(PRODUCTS);
    expect(idsOf(await allOf({ first: 100 }))).toEqual(idsOf(everything));
  });

  const ORDERS: Record<Exclude<ProductSort, "NEWEST">, (product: ListedProduct) => number> = {
    PRICE_ASC: ({ price }) => price.amount,
    PRICE_DESC: ({ price }) => -price.amount,
    RATING: ({ rating }) => -rating.average,
    POPULAR: ({ stats }) => -(stats.views + 20 * stats.shares + 10 * stats.likes),
  };
  it.each(Object.entries(ORDERS))(
    "A list sorted %s is in that order and holds every product once.",
    async (sort, by) => {
      const products = await allOf({ sort: sort as ProductSort });
      expect(new Set(idsOf(products)).size).toBe(PRODUCTS);
      const values = products.map(by);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    },
  );

  it("An explicit null of an argument counts as its default.", async () => {
    const { products } = await shop.read(ListProductsDocument, {
      filter: null,
      sort: null,
      first: null,
      after: null,
    });
    expect(idsOf(products.edges.map(({ node }) => node))).toEqual(idsOf(everything.slice(0, 20)));
    expect(products.totalCount).toBe(PRODUCTS);
  });

  it.each([0, -1, 101, 2 ** 31 - 1])("A list refuses a page size of %i.", async (first) => {
    expect(await refusedList({ first })).toEqual(refused("first"));
  });

  it("It refuses a cursor of another order, filter or list, and what is no cursor.", async () => {
    const { products } = await shop.read(ListProductsDocument, { sort: "PRICE_ASC", first: 1 });
    const { brands } = await shop.read(ListBrandsDocument, { first: 1 });
    const strangers = [
      products.edges[0]?.cursor,
      brands.edges[0]?.cursor,
      "",
      "nonsense",
      "💥",
      "x".repeat(5_000),
    ];
    for (const after of strangers)
      expect(await refusedList({ after: after ?? "" }), after).toEqual(refused("after"));
  });

  it("It refuses a forged cursor with a right checksum and an impossible value.", async () => {
    const list = "products:NEWEST:{}";
    const forged = [
      { value: "1 OR 1=1", id: 1 },
      { value: "\0", id: 1 },
      { value: 1, id: -1 },
      { value: 1, id: 0 },
    ].map((position) => encodeCursor(list, position));
    for (const after of forged) expect(await refusedList({ after })).toEqual(refused("after"));
  });

  it.each(["NEWEST", "PRICE_ASC", "PRICE_DESC", "RATING", "POPULAR"] as const)(
    "A list sorted %s answers a forged cursor beyond all rows with a page.",
    async (sort) => {
      for (const value of [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]) {
        const after = encodeCursor(`products:${sort}:{}`, { value, id: Number.MAX_SAFE_INTEGER });
        await shop.read(ListProductsDocument, { sort, after });
      }
    },
  );
});

describe("a filter", () => {
  it("A category holds the products of all categories below, a brand its own.", async () => {
    const { categories } = await shop.read(ReadCategoriesDocument, {});
    const root = categories.find(({ parent, children }) => parent === null && children.length > 0);
    const below = new Set([root?.id]);
    for (const { id, parent } of categories) if (parent && below.has(parent.id)) below.add(id);
    const expected = everything.filter(({ category }) => below.has(category.id));
    expect(expected.length).toBeGreaterThan(0);
    expect(idsOf(await allOf({ filter: { categoryId: root?.id ?? "" } }))).toEqual(idsOf(expected));

    const brandId = everything[0]?.brand.id ?? "";
    expect(idsOf(await allOf({ filter: { brandId } }))).toEqual(
      idsOf(everything.filter(({ brand }) => brand.id === brandId)),
    );
  });

  it("A filter by price includes both bounds, and conditions are joined by AND.", async () => {
    const [low = 0, high = 0] = [everything[3], everything[11]]
      .map((product) => product?.price.amount ?? 0)
      .sort((a, b) => a - b);
    const expected = everything.filter(
      ({ price, stock }) => price.amount >= low && price.amount <= high && stock > 0,
    );
    expect(
      idsOf(await allOf({ filter: { minPrice: low, maxPrice: high, inStock: true } })),
    ).toEqual(idsOf(expected));
    expect(idsOf(await allOf({ filter: { inStock: false } }))).toEqual(
      idsOf(everything.filter(({ stock }) => stock === 0)),
    );
  });

  it("A filter by text matches the begin of every word; blank text matches all.", async () => {
    const wanted = everything[7];
    const [first = "", second = ""] = (wanted?.name ?? "").split(" ");
    const found = await allOf({
      filter: { text: `  ${first.slice(0, 4)}   ${second.toUpperCase()} ` },
    });
    expect(idsOf(found)).toContain(wanted?.id);
    for (const text of ["", "   "])
      expect((await allOf({ filter: { text } })).length).toBe(PRODUCTS);
  });

  it("A filter counts what it lists.", async () => {
    const filter = { inStock: true, minPrice: 1_000 };
    const { products } = await shop.read(ListProductsDocument, { filter, first: 1 });
    expect(products.totalCount).toBe((await allOf({ filter })).length);
  });

  it("An id that cannot be meant is refused; one that is nobody's lists nothing.", async () => {
    const product = everything[0]?.id ?? "";
    for (const id of ["", "nonsense", product, "Q2F0ZWdvcnk6MDE", `${encodeId("Category", 1)}=`]) {
      expect(await refusedList({ filter: { categoryId: id } }), id).toEqual(
        refused("filter.categoryId"),
      );
      expect(await refusedList({ filter: { brandId: id } }), id).toEqual(refused("filter.brandId"));
    }
    const nobody = await shop.read(ListProductsDocument, {
      filter: { categoryId: encodeId("Category", NOWHERE), brandId: encodeId("Brand", NOWHERE) },
    });
    expect(nobody.products).toEqual({
      totalCount: 0,
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
  });

  it("A filter with invalid bounds is refused.", async () => {
    expect(await refusedList({ filter: { minPrice: 2, maxPrice: 1 } })).toEqual(
      refused("filter.minPrice"),
    );
    expect(await refusedList({ filter: { minPrice: -1 } })).toEqual(refused("filter.minPrice"));
    expect(await refusedList({ filter: { maxPrice: -1 } })).toEqual(refused("filter.maxPrice"));
    expect(await refusedList({ filter: { text: "x".repeat(201) } })).toEqual(
      refused("filter.text"),
    );
  });
});

describe("a category", () => {
  it("A category lists its products page by page, in any order.", async () => {
    const id = everything[0]?.category.id ?? "";
    const { category } = await shop.read(ListCategoryProductsDocument, {
      id,
      first: 1,
      sort: "PRICE_ASC",
    });
    const after = category?.products.pageInfo.endCursor ?? null;
    const rest = await shop.read(ListCategoryProductsDocument, {
      id,
      first: 100,
      sort: "PRICE_ASC",
      after,
    });
    const both = [...(category?.products.edges ?? []), ...(rest.category?.products.edges ?? [])];
    expect(idsOf(both.map(({ node }) => node))).toEqual(
      idsOf(await allOf({ filter: { categoryId: id }, sort: "PRICE_ASC" })),
    );
    expect(category?.products.totalCount).toBe(both.length);
  });

  it("A category follows its parent, which names it among its children.", async () => {
    const { categories } = await shop.read(ReadCategoriesDocument, {});
    const places = new Map(categories.map(({ id }, place) => [id, place]));
    for (const { id, parent } of categories) {
      if (!parent) continue;
      expect(places.get(parent.id)).toBeLessThan(places.get(id) ?? -1);
      expect(idsOf(categories[places.get(parent.id) ?? -1]?.children ?? [])).toContain(id);
    }
  });
});

describe("brands and reviews", () => {
  it("Brands are listed by name, also by the begin of the name.", async () => {
    const { brands } = await shop.read(ListBrandsDocument, { first: 100 });
    const names = brands.edges.map(({ node }) => node.name);
    expect(brands.totalCount).toBe(names.length);
    const text = names[0]?.slice(0, 3).toUpperCase() ?? "";
    const some = await shop.read(ListBrandsDocument, { text: ` ${text}` });
    expect(some.brands.edges.map(({ node }) => node.name)).toEqual(
      names.filter((name) => name.toUpperCase().startsWith(text)),
    );
    const next = await shop.read(ListBrandsDocument, {
      first: 100,
      after: brands.edges[0]?.cursor ?? null,
    });
    expect(next.brands.edges.map(({ node }) => node.name)).toEqual(names.slice(1));
    expect(await shop.refusal(ListBrandsDocument, { text: "x".repeat(201) })).toEqual(
      refused("text"),
    );
  });

  it("A product's reviews are newest first, agree with its rating, and lead back.", async () => {
    const busy = everything.reduce((most, product) =>
      product.rating.count > most.rating.count ? product : most,
    );
    const { product } = await shop.read(ListReviewsDocument, { id: busy.id, first: 100 });
    const reviews = product?.reviews.edges.map(({ node }) => node) ?? [];
    expect(product?.reviews.totalCount).toBe(busy.rating.count);
    expect(reviews.length).toBe(Math.min(100, busy.rating.count));
    expect(new Set(reviews.map((review) => review.product.id))).toEqual(new Set([busy.id]));
    const mean = reviews.reduce((sum, { rating }) => sum + rating, 0) / reviews.length;
    expect(busy.rating.average).toBe(Math.round(100 * mean) / 100);
    const next = await shop.read(ListReviewsDocument, {
      id: busy.id,
      first: 1,
      after: product?.reviews.edges[0]?.cursor ?? null,
    });
    expect(next.product?.reviews.edges[0]?.node.id).toBe(reviews[1]?.id);
  });
});

describe("an id", () => {
  const types = ["Product", "Category", "Brand", "Review"] as const;

  it.each(types)("An id of a %s leads to it by node.", async (type) => {
    const id = encodeId(type, 1);
    expect((await shop.read(ReadNodeDocument, { id })).node).toEqual({ __typename: type, id });
  });

  it("An unknown or foreign id is null.", async () => {
    for (const id of [
      encodeId("Product", NOWHERE),
      "",
      "nonsense",
      "__proto__",
      "UHJvZHVjdDox=",
      "1",
    ]) {
      expect((await shop.read(ReadNodeDocument, { id })).node, id).toBeNull();
    }
    expect(
      (await shop.read(ReadProductDocument, { id: encodeId("Category", 1) })).product,
    ).toBeNull();
    expect(
      (await shop.read(ListCategoryProductsDocument, { id: encodeId("Product", 1) })).category,
    ).toBeNull();
  });

  it("Several ids get one answer each, in their order.", async () => {
    const ids = [
      encodeId("Review", 2),
      "nonsense",
      encodeId("Product", 3),
      encodeId("Brand", NOWHERE),
      encodeId("Product", 3),
    ];
    const { nodes } = await shop.read(ReadNodesDocument, { ids });
    expect(nodes.map((node) => node?.id ?? null)).toEqual([ids[0], null, ids[2], null, ids[4]]);
    expect((await shop.read(ReadNodesDocument, { ids: [] })).nodes).toEqual([]);
    expect(await shop.refusal(ReadNodesDocument, { ids: Array<string>(101).fill("x") })).toEqual(
      refused("ids"),
    );
  });
});
