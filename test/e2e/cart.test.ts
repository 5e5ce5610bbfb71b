/** Carts over the API: what customers see, are told and refused. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { age } from "../redis/cart/cart.fixture.js";
import { signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { type Buyer, contentsOf, createBuyer } from "../support/buyers.js";
import { metric, post } from "../support/graphql.js";
import { testRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const UPSERT =
  "mutation Upsert($input: ProductInput!) { upsertProduct(input: $input) { product { id } " +
  "errors { code } } }";
const place = testRedis();
let app: RunningApp;
let redis: Redis;
beforeAll(async () => {
  // While a change runs, its price is that of a full cart: two hundred at once are more than one
  // caller's bucket holds.
  const env = {
    CACHE_LOCAL_BYTES: "0",
    LIMIT_VIEWER_BURST: "1000000",
    LIMIT_ADDRESS_BURST: "1000000",
    LIMIT_BLOCK_BURST: "1000000",
  };
  app = await startApp({ products: 400, redisUrl: place.url, keyPrefix: place.prefix, env });
  redis = place.connect();
  const LIST =
    "query L($after: String) { products(filter: { inStock: true }, first: 100, after: " +
    "$after) { edges { cursor node { id stock } } } }";
  for (let after: string | null = null; inStock.length < 220; ) {
    const { data } = await post(app.url, LIST, { after });
    const edges = data.products!.edges as unknown as {
      cursor: string;
      node: { id: string; stock: number };
    }[];
    inStock.push(...edges.filter(({ node }) => node.stock >= 10).map(({ node }) => node.id));
    after = edges.at(-1)?.cursor ?? null;
  }
});
afterAll(async () => {
  redis.disconnect();
  await app.close();
});

/** Makes a product, or changes it: its sku says which. */
async function product(
  sku: string,
  { price = 1_000, stock = 10 }: { price?: number; stock?: number } = {},
): Promise<string> {
  const input = {
    sku,
    name: `Thing ${sku}`,
    description: "",
    brandId: encodeId("Brand", 1),
    categoryId: encodeId("Category", 1),
    price,
    stock,
  };
  const { data } = await post(app.url, UPSERT, { input }, { token: app.adminToken });
  return String(data.upsertProduct!.product!.id);
}
const remove = (id: string) =>
  post(
    app.url,
    "mutation R($id: ID!) { removeProduct(id: $id) { errors { code } } }",
    { id },
    { token: app.adminToken },
  );
const buyer = (options?: Parameters<typeof createBuyer>[1]): Buyer => createBuyer(app.url, options);
/** Products of the seed that are in stock. */
const inStock: string[] = [];
const seeded = (at: number): string => inStock[at] ?? "";

/** One piece, and nothing of the answer. */
const put = (shopper: Buyer, at: number) =>
  shopper.ask(
    `mutation { setCartLine(productId: "${seeded(at)}", quantity: 1) { errors { code } } }`,
  );

describe("a cart", () => {
  it("A stranger's cart is empty, and the first addition makes them a guest.", async () => {
    const shopper = buyer();
    expect(await shopper.cart()).toMatchObject({
      version: 0,
      quantity: 0,
      lines: [],
      subtotal: { amount: 0, currency: "EUR" },
    });
    expect(shopper.guest).toBeNull();
    const id = await product("first", { price: 250 });
    const { cart, errors, warnings } = await shopper.add(id, { quantity: 3 });
    expect([errors, warnings, shopper.guest?.length]).toEqual([[], [], 66]);
    expect(cart).toMatchObject({
      quantity: 3,
      subtotal: { amount: 750, currency: "EUR" },
      lines: [
        {
          product: { id, name: "Thing first" },
          unitPrice: { amount: 250 },
          total: { amount: 750 },
          priceChanged: false,
          available: true,
        },
      ],
    });
    expect(await shopper.cart()).toEqual(cart);
    expect(await buyer().cart()).toMatchObject({ lines: [] });
  });

  it("Every device of an account has its cart, and no other account has it.", async () => {
    const [account, other] = [await signUp(app.url), await signUp(app.url)];
    const [phone, laptop] = [buyer({ token: account.token }), buyer({ token: account.token })];
    const { cart } = await phone.add(seeded(1), { quantity: 2 });
    expect(await laptop.cart()).toEqual(cart);
    expect(await buyer({ token: other.token }).cart()).toMatchObject({ lines: [] });
  });

  it("The id of a cart is opaque and stays the same.", async () => {
    const { token } = await signUp(app.url);
    const [a, b] = [
      (await buyer({ token }).cart()).id,
      (await buyer({ token }).add(seeded(1))).cart?.id,
    ];
    expect(a).toMatch(/^[\w-]{22}$/);
    expect(b).toBe(a);
    expect((await post(app.url, `{ node(id: "${a}") { id } }`)).data.node).toBeNull();
  });

  it("Of 200 parallel additions through the API, each counts once.", async () => {
    const { token } = await signUp(app.url);
    const id = await product("popular", { stock: 1_000 });
    await Promise.all(Array.from({ length: 200 }, () => buyer({ token }).add(id)));
    expect(contentsOf(await buyer({ token }).cart())).toEqual({ [id]: 200 });
  });

  it("One piece is added without a quantity, and also for null.", async () => {
    const shopper = buyer();
    await shopper.ask(`mutation { addToCart(productId: "${seeded(1)}") { errors { code } } }`);
    await shopper.add(seeded(1), { quantity: null });
    expect(contentsOf(await shopper.cart())).toEqual({ [seeded(1)]: 2 });
  });

  it("A cart line can be set and removed, and a cart cleared.", async () => {
    const shopper = buyer();
    await shopper.add(seeded(1), { quantity: 5 });
    await shopper.set(seeded(2), 3);
    expect(contentsOf((await shopper.set(seeded(1), 2)).cart!)).toEqual({
      [seeded(1)]: 2,
      [seeded(2)]: 3,
    });
    expect(contentsOf((await shopper.set(seeded(1), 0)).cart!)).toEqual({ [seeded(2)]: 3 });
    expect((await shopper.clear()).cart).toMatchObject({
      lines: [],
      quantity: 0,
      subtotal: { amount: 0 },
    });
  });

  it("A repeated operation id adds nothing, and other arguments under it are told.", async () => {
    const shopper = buyer();
    const first = await shopper.add(seeded(1), { quantity: 2, operationId: "one" });
    expect(await shopper.add(seeded(1), { quantity: 2, operationId: "one" })).toEqual(first);
    const other = await shopper.add(seeded(2), { quantity: 2, operationId: "one" });
    expect([other.errors, other.cart]).toEqual([
      [{ code: "IDEMPOTENCY_MISMATCH", field: ["operationId"] }],
      first.cart,
    ]);
  });

  it("Another version than expected is a CONFLICT with the present cart.", async () => {
    const shopper = buyer();
    const { cart: seen } = await shopper.add(seeded(1));
    const { cart: now } = await shopper.add(seeded(2));
    for (const late of [
      await shopper.set(seeded(1), 9, seen!.version),
      await shopper.clear(seen!.version),
    ]) {
      expect(late).toEqual({
        cart: now,
        errors: [{ code: "CONFLICT", field: ["expectedVersion"] }],
        warnings: [],
      });
    }
    expect((await shopper.clear(now!.version)).errors).toEqual([]);
  });

  it("An expired cart is empty, with a new version and without an error.", async () => {
    const shopper = buyer();
    const { cart } = await shopper.add(seeded(1));
    expect(Date.parse(cart!.expiresAt) - Date.now()).toBeGreaterThan(6.9 * 24 * 3_600_000);
    const key = place.keys.cart(`guest:${shopper.guest?.split(".")[0]}`);
    await age(redis, key, 7 * 24 * 3_600_000 + 1);
    const after = await shopper.cart();
    expect([after.lines, after.version > cart!.version]).toEqual([[], true]);
    expect((await shopper.set(seeded(1), 1, cart!.version)).errors[0]?.code).toBe("CONFLICT");
  });
});

describe("what is refused, with the field to blame", () => {
  const [brand, missing] = [encodeId("Brand", 1), encodeId("Product", 999_999)];
  let removed: string;
  let soldOut: string;
  beforeAll(async () => {
    removed = await product("removed");
    await remove(removed);
    soldOut = await product("sold-out", { stock: 0 });
  });

  it.each([
    ["nothing", () => seeded(1), 0, "OUT_OF_RANGE", "quantity"],
    ["less than nothing", () => seeded(1), -1, "OUT_OF_RANGE", "quantity"],
    ["a thousand", () => seeded(1), 1_000, "OUT_OF_RANGE", "quantity"],
    ["the most an Int holds", () => seeded(1), 2 ** 31 - 1, "OUT_OF_RANGE", "quantity"],
    ["no id", () => "nonsense", 1, "INVALID", "productId"],
    ["the id of a brand", () => brand, 1, "INVALID", "productId"],
    ["an unknown product", () => missing, 1, "NOT_FOUND", "productId"],
    ["a removed product", () => removed, 1, "PRODUCT_REMOVED", "productId"],
    ["what is sold out", () => soldOut, 1, "OUT_OF_STOCK", "quantity"],
  ])("Adding %s is refused with its field.", async (_name, id, quantity, code, field) => {
    const shopper = buyer();
    const { errors } = await shopper.add(id(), { quantity });
    expect(errors).toEqual([{ code, field: [field] }]);
    expect((await shopper.cart()).lines).toEqual([]);
  });

  it.each([
    ["less than nothing", () => seeded(1), -1, "OUT_OF_RANGE", "quantity"],
    ["a thousand", () => seeded(1), 1_000, "OUT_OF_RANGE", "quantity"],
    ["no id", () => "nonsense", 0, "INVALID", "productId"],
    ["an unknown product, even to nothing", () => missing, 0, "NOT_FOUND", "productId"],
    ["a removed product", () => removed, 1, "PRODUCT_REMOVED", "productId"],
    ["what is sold out", () => soldOut, 1, "OUT_OF_STOCK", "quantity"],
  ])("Setting %s is refused with its field.", async (_name, id, quantity, code, field) => {
    expect((await buyer().set(id(), quantity)).errors).toEqual([{ code, field: [field] }]);
  });

  it("A fraction or a number beyond Int is BAD_USER_INPUT.", async () => {
    for (const quantity of ["1.5", "99999999999", '"2"']) {
      const { errors } = await post(
        app.url,
        `mutation { addToCart(productId: "${seeded(1)}", quantity: ${quantity}) { errors { ` +
          "code } } }",
      );
      expect(errors?.[0]?.extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
      const asVariable = await buyer().ask(
        'mutation A($q: Int) { addToCart(productId: "x", quantity: $q) { errors { code } } }',
        {
          q: JSON.parse(quantity),
        },
      );
      expect(asVariable.errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
    }
  });

  it("An empty or too long operation id is refused.", async () => {
    for (const [operationId, code] of [
      ["", "REQUIRED"],
      ["x".repeat(129), "TOO_LONG"],
    ] as const) {
      expect((await buyer().add(seeded(1), { operationId })).errors).toEqual([
        { code, field: ["operationId"] },
      ]);
    }
  });

  it("Line 201 and piece 1,000 of a line are refused.", async () => {
    const shopper = buyer();
    for (let at = 1; at <= 200; at++) await put(shopper, at);
    const full = await shopper.add(seeded(201));
    expect(full.errors).toEqual([{ code: "LIMIT_REACHED", field: ["productId"] }]);
    const id = await product("plenty", { stock: 5_000 });
    const other = buyer();
    await other.add(id, { quantity: 999 });
    expect((await other.add(id)).errors).toEqual([{ code: "LIMIT_REACHED", field: ["quantity"] }]);
  });
});

describe("what the customer is told", () => {
  it("A quantity that is clamped to the stock is a warning.", async () => {
    const shopper = buyer();
    const id = await product("scarce", { stock: 3 });
    const { cart, warnings } = await shopper.add(id, { quantity: 5 });
    expect([contentsOf(cart!), warnings]).toEqual([
      { [id]: 3 },
      [{ code: "QUANTITY_CLAMPED", productId: id }],
    ]);
    expect((await shopper.set(id, 9)).warnings).toEqual([
      { code: "QUANTITY_CLAMPED", productId: id },
    ]);
  });

  it("A changed price is told while it stands, and once more when the line takes it.", async () => {
    const shopper = buyer();
    const id = await product("dearer", { price: 100 });
    await shopper.add(id, { quantity: 2 });
    await product("dearer", { price: 130 });
    expect((await shopper.cart()).lines[0]).toMatchObject({
      unitPrice: { amount: 100 },
      total: { amount: 260 },
      priceChanged: true,
    });
    const changed = { code: "PRICE_CHANGED", productId: id };
    expect((await shopper.add(seeded(1))).warnings).toEqual([changed]);
    const confirmed = await shopper.set(id, 2);
    expect(confirmed.warnings).toEqual([changed]);
    expect(confirmed.cart?.lines[0]).toMatchObject({
      unitPrice: { amount: 130 },
      priceChanged: false,
    });
    expect((await shopper.set(id, 2)).warnings).toEqual([]);
  });

  it("A product that is gone or short is shown, unavailable, outside the subtotal.", async () => {
    const shopper = buyer();
    const [gone, fewer, there] = [
      await product("gone"),
      await product("fewer"),
      await product("there", { price: 70 }),
    ];
    for (const id of [gone, fewer, there]) await shopper.add(id, { quantity: 2 });
    await remove(gone);
    await product("fewer", { stock: 1 });
    const { cart, warnings } = await shopper.set(there, 3);
    expect(warnings).toEqual([{ code: "PRODUCT_GONE", productId: gone }]);
    expect(cart?.lines.map(({ available }) => available)).toEqual([false, false, true]);
    expect([cart?.quantity, cart?.subtotal.amount]).toEqual([7, 210]);
    expect((await shopper.set(gone, 0)).errors).toEqual([]);
  });
});

it("The products of 200 lines are read in one round trip, without SQL when cached.", async () => {
  const shopper = buyer();
  for (let at = 1; at <= 200; at++) await put(shopper, at);
  const counts = () =>
    Promise.all([
      metric(app.url, "souk_redis_round_trip_seconds_count", 'what="cache read"'),
      metric(app.url, "souk_loads_total"),
    ]);
  await shopper.cart();
  const before = await counts();
  expect((await shopper.cart()).lines).toHaveLength(200);
  const after = await counts();
  expect([after[0] - before[0], after[1] - before[1]]).toEqual([1, 0]);
});

it("The cart of a known token leaves in one write with session and limits.", async () => {
  const { token } = await signUp(app.url);
  const id = await product("one-write");
  await post(
    app.url,
    "mutation($id: ID!) { addToCart(productId: $id) { cart { id } } }",
    { id },
    { token },
  );
  const quantity = async () =>
    (await post(app.url, "{ cart { quantity } }", {}, { token })).data.cart!.quantity;
  expect(await quantity()).toBe(1);

  const monitor = await place.connect().monitor();
  const sent: string[] = [];
  monitor.on("monitor", (_time, args: string[], source: string) => {
    if (source !== "lua") sent.push(args.join(" "));
  });
  expect(await quantity()).toBe(1);
  await redis.set(`${place.prefix}:done`, "1");
  await until("the last command", () => sent.some((command) => command.includes(":done")));
  monitor.disconnect();
  // The cart goes first: nothing of it waited for the reply about the session.
  const cart = sent.findIndex((command) => /^hgetall .*:cart:/i.test(command));
  const session = sent.findIndex((command) => command.includes(":session:{"));
  expect(cart).toBeGreaterThan(-1);
  expect(session).toBeGreaterThan(cart);
  expect(sent.filter((command) => command.includes(":cart:")).length).toBe(2);
});
