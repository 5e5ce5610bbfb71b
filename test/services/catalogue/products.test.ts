/**
 * Changes of the catalogue: authorisation, refusals, repetitions, and the
 * outbox row of each.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBrandTable } from "../../../src/db/catalogue/brands.js";
import { createCategoryTable } from "../../../src/db/catalogue/categories.js";
import { createProductTable } from "../../../src/db/catalogue/products.js";
import { createOperationTable } from "../../../src/db/operations.js";
import { createOutboxTable } from "../../../src/db/outbox.js";
import { ANONYMOUS, SERVICE, UNKNOWN } from "../../../src/domain/account/principal.js";
import type { ProductDraft } from "../../../src/domain/catalogue/catalogue.js";
import { MAX_PRICE, MAX_STOCK } from "../../../src/domain/catalogue/money.js";
import { tagsOfListing } from "../../../src/domain/catalogue/tags.js";
import { Forbidden, RedisUnavailable, Unauthenticated } from "../../../src/domain/errors.js";
import type { OutboxRow, PendingChange } from "../../../src/domain/events/outbox.js";
import { createAuthenticate } from "../../../src/services/account/authenticate.js";
import { createCredentialReader } from "../../../src/services/account/credential.js";
import { createProducts, type Products } from "../../../src/services/catalogue/products.js";
import type { Outbox } from "../../../src/services/outbox/outbox.js";
import { seededDatabase } from "../../support/app.js";
import type { TestDatabase } from "../../support/postgres.js";

let db: TestDatabase;
let products: Products;
/** What was settled, in order: these tests ask what is announced, not how. */
const settled: PendingChange[] = [];
let draft: ProductDraft;

beforeAll(async () => {
  db = await seededDatabase(20);
  const { database } = db;
  const dispatch: Outbox["dispatch"] = async (rows) => {
    settled.push(...rows.flatMap(changeOf));
    return { count: settled.length, bypassUntilMs: 0 };
  };
  products = createProducts({
    database,
    products: createProductTable(database),
    operations: createOperationTable(database),
    outboxTable: createOutboxTable(database),
    outbox: { dispatch },
  });
  const [categoryId = 0] = await createCategoryTable(database).allIds();
  const { rows } = await createBrandTable(database).page({ page: { limit: 1, after: null } });
  draft = {
    sku: "T-1",
    name: "Lamp",
    description: "",
    brandId: rows[0]?.id ?? 0,
    categoryId,
    price: 1_000,
    stock: 3,
  };
});
afterAll(() => db.close());

let made = 0;
/** A product of its own for a test. */
async function makeProduct(values: Partial<ProductDraft> = {}) {
  const { product } = await products.upsert(SERVICE, { ...draft, sku: `T-${++made}`, ...values });
  if (!product) throw new Error("the draft was refused");
  return product;
}

/** The change in a row; none in a row of another kind. */
const changeOf = ({ kind, payload }: OutboxRow): PendingChange[] =>
  kind === "change" ? [payload as PendingChange] : [];

/** What `work` announced. */
async function announcedBy(work: () => Promise<unknown>): Promise<PendingChange[]> {
  const from = settled.length;
  await work();
  return settled.slice(from);
}

describe("access to changes of the catalogue", () => {
  it("Callers without the service token may not write.", async () => {
    await expect(products.upsert(ANONYMOUS, draft)).rejects.toBeInstanceOf(Unauthenticated);
    await expect(products.adjustStock(ANONYMOUS, { id: 1, by: 1 })).rejects.toBeInstanceOf(
      Unauthenticated,
    );
    await expect(products.remove(ANONYMOUS, 1)).rejects.toBeInstanceOf(Unauthenticated);
  });

  it("Customers may not write; admins may.", async () => {
    const user = { kind: "user", userId: 1, userTag: "t", sessionId: "s", leftMs: 1 } as const;
    await expect(products.remove({ ...user, role: "CUSTOMER" }, 1)).rejects.toBeInstanceOf(
      Forbidden,
    );
    await expect(products.remove(UNKNOWN, 1)).rejects.toBeInstanceOf(RedisUnavailable);
    expect(
      (await products.remove({ ...user, role: "ADMIN" }, 999_999)).errors.map(({ code }) => code),
    ).toEqual(["NOT_FOUND"]);
  });

  it("Only the configured service token may write, and none where none is configured.", async () => {
    const nobodys = { authenticate: async () => null };
    const authenticateWith = (serviceToken?: string) => {
      const read = createCredentialReader(serviceToken);
      return (token: string | undefined) => createAuthenticate(nobodys)(read(token));
    };
    const authenticate = authenticateWith("the-service-token");
    expect(await authenticate("the-service-token")).toEqual(SERVICE);
    const others = await Promise.all(
      ["the-service-toke", "the-service-token ", ""].map(authenticate),
    );
    expect(others).toEqual(["invalid", "invalid", "invalid"]);
    expect(await authenticate(undefined)).toEqual(ANONYMOUS);
    expect(await authenticateWith()("anything")).toBe("invalid");
  });
});

describe("upsert", () => {
  it("An upsert creates, then replaces, and announces each once.", async () => {
    const announced = await announcedBy(async () => {
      const first = await makeProduct({ price: 500 });
      const { product, seen } = await products.upsert(SERVICE, {
        ...draft,
        sku: first.sku,
        price: 600,
      });
      expect(product).toMatchObject({ id: first.id, version: first.version + 1, price: 600 });
      expect(seen).not.toBeNull();
    });
    expect(announced).toHaveLength(2);
    expect(announced[1]?.tags).toEqual(
      expect.arrayContaining([`product:${announced[1]?.events?.[0]?.topic.id}`]),
    );
  });

  it("An upsert without a difference announces nothing.", async () => {
    const { sku } = await makeProduct();
    expect(await announcedBy(() => products.upsert(SERVICE, { ...draft, sku }))).toEqual([]);
  });

  it("A change invalidates the lists that it concerns and no others.", async () => {
    const { sku } = await makeProduct();
    const [renamed] = await announcedBy(() =>
      products.upsert(SERVICE, { ...draft, sku, name: "Lantern" }),
    );
    const [dearer] = await announcedBy(() =>
      products.upsert(SERVICE, { ...draft, sku, name: "Lantern", price: 2_000 }),
    );
    const byPrice = tagsOfListing({ categoryId: draft.categoryId }, "PRICE_ASC");
    const newest = tagsOfListing({ categoryId: draft.categoryId }, "NEWEST");
    const touches = (row: PendingChange | undefined, tags: readonly string[]) =>
      tags.some((tag) => row?.tags?.includes(tag));
    expect([touches(renamed, byPrice), touches(renamed, newest)]).toEqual([false, false]);
    expect([touches(dearer, byPrice), touches(dearer, newest)]).toEqual([true, false]);
  });

  it("All errors of a draft are named at once, with their paths.", async () => {
    const { product, errors } = await products.upsert(SERVICE, {
      ...draft,
      sku: " ",
      name: "x".repeat(201),
      description: "half \ud800",
      price: -1,
      stock: MAX_STOCK + 1,
    });
    expect(product).toBeNull();
    expect(errors.map(({ code, field }) => [code, field?.join(".")])).toEqual([
      ["REQUIRED", "input.sku"],
      ["TOO_LONG", "input.name"],
      ["INVALID", "input.description"],
      ["OUT_OF_RANGE", "input.price"],
      ["OUT_OF_RANGE", "input.stock"],
    ]);
  });

  it.each([
    ["brandId", { brandId: 999_999 }],
    ["categoryId", { categoryId: 999_999 }],
  ])("An upsert answers NOT_FOUND for a %s that does not exist.", async (field, values) => {
    const { errors } = await products.upsert(SERVICE, { ...draft, sku: "T-nowhere", ...values });
    expect(errors).toMatchObject([{ code: "NOT_FOUND", field: ["input", field] }]);
  });

  it("A draft at the bounds themselves is accepted.", async () => {
    expect(
      await makeProduct({ name: "😀".repeat(200), price: MAX_PRICE, stock: MAX_STOCK }),
    ).toMatchObject({
      price: MAX_PRICE,
      stock: MAX_STOCK,
    });
  });
});

describe("adjustStock", () => {
  it("A change of stock happens once per operation id, however often it is sent.", async () => {
    const { id } = await makeProduct({ stock: 10 });
    const send = () => products.adjustStock(SERVICE, { id, by: -4, operationId: `once-${id}` });
    const outcomes = await Promise.all([send(), send(), send()]);
    expect(outcomes.map(({ product }) => product?.stock)).toEqual([6, 6, 6]);
    expect((await send()).product?.stock).toBe(6);
  });

  it("An operation id that stood for something else is refused.", async () => {
    const { id } = await makeProduct();
    await products.adjustStock(SERVICE, { id, by: 1, operationId: `same-${id}` });
    const { errors } = await products.adjustStock(SERVICE, {
      id,
      by: 2,
      operationId: `same-${id}`,
    });
    expect(errors).toMatchObject([{ code: "IDEMPOTENCY_MISMATCH", field: ["operationId"] }]);
  });

  it("Stock never goes below zero, and a refusal does not consume its operation id.", async () => {
    const { id } = await makeProduct({ stock: 3 });
    const take = () => products.adjustStock(SERVICE, { id, by: -5, operationId: `later-${id}` });
    expect((await take()).errors).toMatchObject([{ code: "OUT_OF_STOCK", field: ["by"] }]);
    await products.adjustStock(SERVICE, { id, by: 10 });
    expect((await take()).product?.stock).toBe(8);
  });

  it("Fifty concurrent sales sell what there is and no more.", async () => {
    const { id } = await makeProduct({ stock: 20 });
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        products.adjustStock(SERVICE, { id, by: -1, operationId: `buyer-${id}-${n}` }),
      ),
    );
    expect(outcomes.filter(({ errors }) => errors.length === 0)).toHaveLength(20);
    expect(
      outcomes.flatMap(({ errors }) => errors).every(({ code }) => code === "OUT_OF_STOCK"),
    ).toBe(true);
  });

  it.each([
    ["NOT_FOUND", "id", { id: 999_999, by: 1 }],
    ["OUT_OF_RANGE", "by", { by: MAX_STOCK }],
    ["REQUIRED", "operationId", { by: 1, operationId: "" }],
    ["TOO_LONG", "operationId", { by: 1, operationId: "x".repeat(129) }],
  ])("A change of stock answers %s about %s.", async (code, field, values) => {
    const { id } = await makeProduct();
    expect((await products.adjustStock(SERVICE, { id, ...values })).errors).toMatchObject([
      { code, field: [field] },
    ]);
  });
});

describe("remove", () => {
  it("A product is removed once; its sku revives it with a higher version.", async () => {
    const { id, sku } = await makeProduct();
    expect((await products.remove(SERVICE, id)).product).toMatchObject({
      removed: true,
      version: 2,
    });
    expect((await products.remove(SERVICE, id)).errors).toMatchObject([
      { code: "PRODUCT_REMOVED" },
    ]);
    expect((await products.adjustStock(SERVICE, { id, by: 1 })).errors).toMatchObject([
      { code: "PRODUCT_REMOVED" },
    ]);
    expect((await products.upsert(SERVICE, { ...draft, sku })).product).toMatchObject({
      id,
      removed: false,
      version: 3,
    });
    expect((await products.remove(SERVICE, 999_999)).errors).toMatchObject([{ code: "NOT_FOUND" }]);
  });
});
