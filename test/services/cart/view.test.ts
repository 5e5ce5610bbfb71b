import { expect, it } from "vitest";
import { CART_LIMITS } from "../../../src/domain/cart.js";
import type { ProductRecord } from "../../../src/domain/catalogue/catalogue.js";
import { MAX_PRICE } from "../../../src/domain/catalogue/money.js";
import { changesSince, subtotalOf, viewLines } from "../../../src/services/cart/view.js";

const product = (id: number, values: Partial<ProductRecord> = {}): ProductRecord => ({
  id,
  version: 1,
  sku: `s${id}`,
  name: `Thing ${id}`,
  description: "",
  brandId: 1,
  categoryId: 1,
  price: 100,
  stock: 10,
  ratingSum: 0,
  ratingCount: 0,
  removed: false,
  updatedAt: "2026-01-01T00:00:00.000Z",
  ...values,
});
const line = (productId: number, quantity = 2) => ({ productId, quantity, unitPrice: 100 });

it("A full cart of the dearest product adds up exactly.", () => {
  const { lines, quantity } = CART_LIMITS;
  const records = Array.from({ length: lines }, (_, id) =>
    product(id, { price: MAX_PRICE, stock: quantity.max }),
  );
  const view = viewLines(
    records.map(({ id }) => line(id, quantity.max)),
    records,
  );
  expect(BigInt(subtotalOf(view))).toBe(BigInt(lines) * BigInt(quantity.max) * BigInt(MAX_PRICE));
});

it("Lines gone or short are shown, not counted; unknown ones are left out; changes shown.", () => {
  const products = [
    product(1, { removed: true }),
    product(2, { stock: 1 }),
    product(3, { price: 90 }),
    null,
  ];
  const view = viewLines([line(1), line(2), line(3), line(4)], products);
  expect(view.map(({ productId, available, total }) => [productId, available, total])).toEqual([
    [1, false, 200],
    [2, false, 200],
    [3, true, 180],
  ]);
  expect(subtotalOf(view)).toBe(180);
  expect(changesSince(view).map(({ code, productId }) => [code, productId])).toEqual([
    ["PRODUCT_GONE", 1],
    ["PRICE_CHANGED", 3],
  ]);
});
