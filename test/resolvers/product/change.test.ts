import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeId } from "../../../src/domain/ids.js";
import { type RunningApp, startApp } from "../../support/app.js";
import {
  ChangeStockDocument,
  DropProductDocument,
  ListProductsDocument,
  ListReviewsDocument,
  ProductChangesDocument,
  type ProductInput,
  ReadNodeDocument,
  ReadNodesDocument,
  ReadProductDocument,
  SaveProductDocument,
} from "../../support/generated/operations.js";
import { createShop, type Shop } from "../../support/shop.js";

const NOBODY = encodeId("Product", 999_999_999);

let app: RunningApp;
let admin: Shop;
let visitor: Shop;

beforeAll(async () => {
  app = await startApp({ products: 20, env: { CONFLATION_MS: "1" } });
  admin = createShop({ url: app.url, token: app.adminToken });
  visitor = createShop(app);
});
afterAll(() => app?.close());

/** A product that nobody else has. */
const draft = (changes: Partial<ProductInput> = {}): ProductInput => ({
  sku: `TEST-${randomUUID()}`,
  name: "Test kettle",
  description: "Boils.",
  brandId: encodeId("Brand", 1),
  categoryId: encodeId("Category", 1),
  price: 1_999,
  stock: 5,
  ...changes,
});

async function save(changes: Partial<ProductInput> = {}) {
  const { upsertProduct } = await admin.read(SaveProductDocument, { input: draft(changes) });
  if (!upsertProduct.product) throw new Error(`not saved: ${JSON.stringify(upsertProduct.errors)}`);
  return upsertProduct.product;
}

const codesOf = (errors: readonly { code: string; field: readonly string[] | null }[]): string[] =>
  errors.map(({ code, field }) => `${code} ${field?.join(".")}`);

describe("an admin", () => {
  it("An admin creates, replaces and reads a product under the same id.", async () => {
    const made = await save();
    expect(made).toMatchObject({
      name: "Test kettle",
      stock: 5,
      price: { amount: 1_999, currency: "EUR" },
      rating: { average: 0, count: 0 },
    });
    const changed = await save({ sku: made.sku, name: "Better kettle", price: 2_499 });
    expect(changed.id).toBe(made.id);
    expect((await admin.read(ReadProductDocument, { id: made.id })).product).toEqual(changed);
  });

  it("An admin gets an error for every invalid id, at its field.", async () => {
    const wrong = await admin.read(SaveProductDocument, {
      input: draft({ brandId: "nonsense", categoryId: encodeId("Brand", 1) }),
    });
    expect(wrong.upsertProduct.product).toBeNull();
    expect(codesOf(wrong.upsertProduct.errors)).toEqual([
      "INVALID input.brandId",
      "INVALID input.categoryId",
    ]);
    const missing = await admin.read(SaveProductDocument, {
      input: draft({ brandId: encodeId("Brand", 999_999) }),
    });
    expect(codesOf(missing.upsertProduct.errors)).toEqual(["NOT_FOUND input.brandId"]);
    expect(
      codesOf(
        (await admin.read(ChangeStockDocument, { id: "nonsense", by: 1 })).adjustStock.errors,
      ),
    ).toEqual(["INVALID id"]);
    expect(
      codesOf((await admin.read(ChangeStockDocument, { id: NOBODY, by: 1 })).adjustStock.errors),
    ).toEqual(["NOT_FOUND id"]);
    expect(
      codesOf(
        (await admin.read(DropProductDocument, { id: encodeId("Category", 1) })).removeProduct
          .errors,
      ),
    ).toEqual(["INVALID id"]);
    expect(
      codesOf((await admin.read(DropProductDocument, { id: NOBODY })).removeProduct.errors),
    ).toEqual(["NOT_FOUND id"]);
  });

  it("An admin changes stock once per operation id, and never below zero.", async () => {
    const { id } = await save({ stock: 5 });
    const operationId = randomUUID();
    for (const _ of [1, 2])
      expect(
        (await admin.read(ChangeStockDocument, { id, by: -2, operationId })).adjustStock.product
          ?.stock,
      ).toBe(3);
    const other = await admin.read(ChangeStockDocument, { id, by: -1, operationId });
    expect(codesOf(other.adjustStock.errors)).toEqual(["IDEMPOTENCY_MISMATCH operationId"]);
    const tooMuch = await admin.read(ChangeStockDocument, { id, by: -4 });
    expect(tooMuch.adjustStock.product).toBeNull();
    expect(codesOf(tooMuch.adjustStock.errors)).toEqual(["OUT_OF_STOCK by"]);
    expect((await admin.read(ReadProductDocument, { id })).product?.stock).toBe(3);
    expect(
      codesOf(
        (await admin.read(ChangeStockDocument, { id, by: 1, operationId: "" })).adjustStock.errors,
      ),
    ).toEqual(["REQUIRED operationId"]);
  });

  it("An admin removes a product from everywhere and revives it by its sku.", async () => {
    const made = await save();
    const { removeProduct } = await admin.read(DropProductDocument, { id: made.id });
    expect(removeProduct).toEqual({ product: null, errors: [] });
    expect((await admin.read(ReadProductDocument, { id: made.id })).product).toBeNull();
    expect((await admin.read(ReadNodeDocument, { id: made.id })).node).toBeNull();
    expect((await admin.read(ReadNodesDocument, { ids: [made.id] })).nodes).toEqual([null]);
    const { products } = await admin.read(ListProductsDocument, {
      filter: { text: "kettle" },
      first: 100,
    });
    expect(products.edges.map(({ node }) => node.id)).not.toContain(made.id);
    expect(
      codesOf((await admin.read(ChangeStockDocument, { id: made.id, by: 1 })).adjustStock.errors),
    ).toEqual(["PRODUCT_REMOVED id"]);
    expect((await save({ sku: made.sku })).id).toBe(made.id);
    expect((await admin.read(ReadNodeDocument, { id: made.id })).node?.id).toBe(made.id);
  });

  it("An admin who removes a product hides its reviews too.", async () => {
    const { products } = await visitor.read(ListProductsDocument, { sort: "POPULAR", first: 1 });
    const id = products.edges[0]?.node.id ?? "";
    const reviewId =
      (await visitor.read(ListReviewsDocument, { id, first: 1 })).product?.reviews.edges[0]?.node
        .id ?? "";
    expect((await admin.read(ReadNodeDocument, { id: reviewId })).node?.id).toBe(reviewId);
    await admin.read(DropProductDocument, { id });
    expect((await admin.read(ReadNodeDocument, { id: reviewId })).node).toBeNull();
  });
});

describe("anybody else", () => {
  it("Other callers are refused before their input is checked.", async () => {
    const id = encodeId("Product", 3);
    for (const input of [draft(), draft({ brandId: "nonsense" })]) {
      expect((await visitor.refusal(SaveProductDocument, { input })).code).toBe("UNAUTHENTICATED");
    }
    for (const each of [id, "nonsense"]) {
      expect((await visitor.refusal(ChangeStockDocument, { id: each, by: 1 })).code).toBe(
        "UNAUTHENTICATED",
      );
      expect((await visitor.refusal(DropProductDocument, { id: each })).code).toBe(
        "UNAUTHENTICATED",
      );
    }
  });
});

describe("a watcher", () => {
  it("It gets one message per id, then each change up to the removal, in order.", async () => {
    const made = await save({ stock: 1 });
    const changes = visitor.watch(ProductChangesDocument, { ids: [made.id, NOBODY] });
    const next = async () => {
      const { value, done } = await changes.next();
      if (done || !value.data) throw new Error(`no value: ${JSON.stringify(value)}`);
      return value.data.productChanged;
    };
    const first = [await next(), await next()].sort(
      (a, b) => Number(a.product === null) - Number(b.product === null),
    );
    expect(first[0]).toMatchObject({ id: made.id, product: made });
    expect(first[1]).toEqual({ id: NOBODY, version: "0", product: null });

    // A value may be sent again after a doubt, never an older one: so each is awaited, and all
    // are kept.
    const sent = [first[0] as Awaited<ReturnType<typeof next>>];
    const nextWith = async (holds: (change: Awaited<ReturnType<typeof next>>) => boolean) => {
      do sent.push(await next());
      while (!holds(sent.at(-1) as Awaited<ReturnType<typeof next>>));
    };
    await admin.read(ChangeStockDocument, { id: made.id, by: 4 });
    await nextWith(({ product }) => product?.stock === 5);
    await admin.read(DropProductDocument, { id: made.id });
    await nextWith(({ product }) => product === null);
    const versions = sent.map(({ version }) => Number(version));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
    await changes.return?.();
  });

  it.each([
    ["no id", []],
    ["more than 100", Array.from({ length: 101 }, (_, index) => encodeId("Product", index + 1))],
    ["the same id twice", [NOBODY, NOBODY]],
    ["an id of something else", [encodeId("Category", 1)]],
    ["what is no id", ["nonsense"]],
  ])("A subscription to %s is refused.", async (_, ids) => {
    const changes = visitor.watch(ProductChangesDocument, { ids });
    const { value } = await changes.next();
    expect(
      value?.errors?.map(
        ({ extensions }: { extensions: { code: string; argument?: readonly string[] } }) => [
          extensions.code,
          extensions.argument,
        ],
      ),
    ).toEqual([["BAD_USER_INPUT", ["ids"]]]);
    await changes.return?.();
  });
});
