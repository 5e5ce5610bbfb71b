/**
 * The store of carts, on one server and on a Cluster: what is counted once, what is refused, what
 * expires, what moves.
 */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createKeys, type Keys } from "../../../src/redis/client/keys.js";
import { createProxy } from "../../support/faults.js";
import { startRedisCluster, startRedisServer, testRedis } from "../../support/redis.js";
import type { RedisCluster } from "../../support/redis-cluster.js";
import { until } from "../../support/until.js";
import { add, age, clear, contents, guest, openCarts, set, user } from "./cart.fixture.js";

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster?.stop());

const PLACES: [string, () => { url: string; keys: Keys }][] = [
  ["one server", testRedis],
  ["a Cluster", () => ({ url: cluster.url, keys: createKeys(testRedis().prefix) })],
];

describe.each(PLACES)("a cart on %s", (_name, place) => {
  it("A cart is empty with a steady version until something is added.", async () => {
    const { store } = await openCarts(place());
    const first = await store.read(user(1));
    expect([first.cart.lines, first.move]).toEqual([[], null]);
    expect(first.cart.version).toBeGreaterThan(0);
    expect(first.cart.version).toBeLessThan(2 ** 31);
    expect((await store.read(user(1))).cart).toEqual(first.cart);
    expect(
      (await store.change(user(1), add(1, 1, { expectedVersion: first.cart.version }))).outcome,
    ).toBe("done");
  });

  it("Of 200 parallel additions on one or 200 products, each counts once.", async () => {
    const { store } = await openCarts(place());
    await Promise.all(Array.from({ length: 200 }, () => store.change(user(1), add(7, 1))));
    expect(contents((await store.read(user(1))).cart)).toEqual([[7, 200]]);
    await Promise.all(
      Array.from({ length: 200 }, (_, at) => store.change(guest("g"), add(at + 1, 2))),
    );
    const { lines } = (await store.read(guest("g"))).cart;
    expect([lines.length, new Set(lines.map(({ quantity }) => quantity))]).toEqual([
      200,
      new Set([2]),
    ]);
  });

  it("Lines keep the order of adding, with the price of the latest addition.", async () => {
    const { store } = await openCarts(place());
    for (const product of [9, 3, 12]) await store.change(user(1), add(product, 1));
    const again = await store.change(user(1), add(3, 2, { price: 120 }));
    expect([again.outcome, again.priceBefore]).toEqual(["done", 100]);
    expect(again.cart.lines).toEqual([
      { productId: 9, quantity: 1, unitPrice: 100 },
      { productId: 3, quantity: 3, unitPrice: 120 },
      { productId: 12, quantity: 1, unitPrice: 100 },
    ]);
  });

  it("Setting, removing and clearing lines without effect makes no new version.", async () => {
    const { store } = await openCarts(place());
    await store.change(user(1), add(1, 5));
    const lowered = await store.change(user(1), set(1, 2));
    expect(contents(lowered.cart)).toEqual([[1, 2]]);
    expect((await store.change(user(1), set(1, 2))).cart.version).toBe(lowered.cart.version);
    const removed = await store.change(user(1), set(1, 0));
    expect([
      removed.outcome,
      removed.cart.lines,
      removed.cart.version > lowered.cart.version,
    ]).toEqual(["done", [], true]);
    expect((await store.change(user(1), set(1, 0))).cart.version).toBe(removed.cart.version);
    expect((await store.change(user(1), clear())).cart.version).toBe(removed.cart.version);
    await store.change(user(1), set(2, 3));
    expect((await store.change(user(1), clear())).cart.lines).toEqual([]);
  });

  it("An addition is clamped to stock and 999 pieces, and refused without room.", async () => {
    const { store } = await openCarts(place());
    expect(await store.change(user(1), add(1, 5, { stock: 3 }))).toMatchObject({
      outcome: "done",
      short: 2,
    });
    expect(await store.change(user(1), add(1, 1, { stock: 3 }))).toMatchObject({
      outcome: "stock",
      cart: { lines: [{ quantity: 3 }] },
    });
    // The stock has sunk below what is in the cart: adding takes nothing away.
    expect(await store.change(user(1), add(1, 1, { stock: 2 }))).toMatchObject({
      outcome: "stock",
      cart: { lines: [{ quantity: 3 }] },
    });
    expect(await store.change(user(1), set(1, 9, { stock: 0 }))).toMatchObject({
      outcome: "stock",
    });
    expect(await store.change(user(1), set(1, 9, { stock: 4 }))).toMatchObject({
      outcome: "done",
      short: 5,
      cart: { lines: [{ quantity: 4 }] },
    });
    await store.change(user(1), add(2, 998));
    expect(await store.change(user(1), add(2, 5))).toMatchObject({ outcome: "done", short: 4 });
    expect(await store.change(user(1), add(2, 1))).toMatchObject({ outcome: "full" });
  });

  it("A cart holds 200 lines; more pieces of one are allowed.", async () => {
    const { store } = await openCarts(place());
    for (let product = 1; product <= 200; product++) await store.change(user(1), add(product, 1));
    const before = (await store.read(user(1))).cart;
    expect(await store.change(user(1), add(201, 1))).toMatchObject({
      outcome: "lines",
      cart: before,
    });
    expect(await store.change(user(1), set(201, 1))).toMatchObject({
      outcome: "lines",
      cart: before,
    });
    expect((await store.change(user(1), add(200, 1))).outcome).toBe("done");
  });

  it("An operation is done once, repeated with its warnings, and told from another.", async () => {
    const { store } = await openCarts(place());
    const once = add(1, 5, { operationId: "op", stock: 3 });
    const first = await store.change(user(1), once);
    const repeated = await Promise.all(
      Array.from({ length: 20 }, () => store.change(user(1), once)),
    );
    for (const again of repeated) expect(again).toEqual({ ...first, outcome: "repeated" });
    expect(await store.change(user(1), add(1, 4, { operationId: "op" }))).toMatchObject({
      outcome: "mismatch",
      cart: first.cart,
    });
    // Another owner's operations are their own.
    expect((await store.change(user(2), add(1, 4, { operationId: "op" }))).outcome).toBe("done");
  });

  it("A refused operation is not used up.", async () => {
    const { store } = await openCarts(place());
    const wanted = { operationId: "op" };
    expect((await store.change(user(1), add(1, 5, { ...wanted, stock: 0 }))).outcome).toBe("stock");
    expect((await store.change(user(1), add(1, 5, wanted))).outcome).toBe("done");
  });

  it("A cart remembers the latest 384 operations, and at most 512.", async () => {
    const { keys, ...where } = place();
    const { store, connection } = await openCarts({ ...where, keys });
    for (let from = 0; from < 600; from += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, at) =>
          store.change(user(1), add(1, 1, { operationId: `op-${from + at}` })),
        ),
      );
    }
    expect(await connection.hlen(keys.cartOperations("user:1"))).toBeLessThanOrEqual(512);
    for (const at of [216, 400, 599]) {
      expect([
        at,
        (await store.change(user(1), add(1, 1, { operationId: `op-${at}` }))).outcome,
      ]).toEqual([at, "repeated"]);
    }
    expect(contents((await store.read(user(1))).cart)).toEqual([[1, 600]]);
  });

  it("Another version than expected changes nothing and answers the present one.", async () => {
    const { store } = await openCarts(place());
    const seen = (await store.change(user(1), add(1, 1))).cart;
    const [a, b] = await Promise.all(
      [2, 3].map((quantity) =>
        store.change(user(1), set(1, quantity, { expectedVersion: seen.version })),
      ),
    );
    expect([a?.outcome, b?.outcome].sort()).toEqual(["conflict", "done"]);
    const now = (await store.read(user(1))).cart;
    expect(await store.change(user(1), clear({ expectedVersion: seen.version }))).toMatchObject({
      outcome: "conflict",
      cart: now,
    });
    expect((await store.change(user(1), clear({ expectedVersion: now.version }))).outcome).toBe(
      "done",
    );
  });

  it("A client that saw no cart can begin one.", async () => {
    const { store } = await openCarts(place());
    expect((await store.change(guest("new"), set(1, 1, { expectedVersion: 0 }))).outcome).toBe(
      "done",
    );
    expect((await store.change(guest("new"), set(1, 2, { expectedVersion: 0 }))).outcome).toBe(
      "conflict",
    );
  });
});

describe.each(PLACES)("an expired cart on %s", (_name, place) => {
  it("An expired cart is empty, with a new version that stays.", async () => {
    const { keys, ...where } = place();
    const { store, connection } = await openCarts({ ...where, keys });
    await Promise.all(Array.from({ length: 50 }, () => store.change(user(1), add(1, 1))));
    const before = (await store.read(user(1))).cart;
    await age(connection, keys.cart("user:1"), 3_600_001);
    const after = (await store.read(user(1))).cart;
    expect([after.lines, after.version > before.version]).toEqual([[], true]);
    expect((await store.read(user(1))).cart.version).toBe(after.version);
    expect(
      (await store.change(user(1), set(1, 1, { expectedVersion: before.version }))).outcome,
    ).toBe("conflict");
    expect(
      (await store.change(user(1), set(1, 1, { expectedVersion: after.version }))).outcome,
    ).toBe("done");
  });

  it("An expired cart takes an addition and keeps nothing of its content.", async () => {
    const { keys, ...where } = place();
    const { store, connection } = await openCarts({ ...where, keys });
    const before = (await store.change(user(1), add(1, 1))).cart;
    await age(connection, keys.cart("user:1"), 3_600_001);
    const { cart } = await store.change(user(1), add(2, 1));
    expect([contents(cart), cart.version > before.version]).toEqual([[[2, 1]], true]);
  });

  it("A cart expires by the clock of Redis, without any reader.", async () => {
    const { store } = await openCarts({ ...place(), ttlMs: 200 });
    const versions = [0];
    for (let round = 0; round < 3; round++) {
      for (let times = 0; times < 5; times++)
        versions.push((await store.change(user(1), add(1, 1))).cart.version);
      await until("the cart to expire", async () => {
        const { lines, version } = (await store.read(user(1))).cart;
        versions.push(version);
        return lines.length === 0;
      });
    }
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  });

  it("Every change extends a cart, and reads at most once an hour.", async () => {
    const { keys, ...where } = place();
    const day = 24 * 3_600_000;
    const { store, connection } = await openCarts({ ...where, keys, ttlMs: 7 * day });
    const key = keys.cart("user:1");
    await store.change(user(1), add(1, 1));
    const expires = async () => (await store.read(user(1))).cart.expiresMs;
    const full = await expires();
    await age(connection, key, 3_500_000);
    expect(await expires()).toBe(full - 3_500_000);
    await age(connection, key, 200_000);
    expect(await expires()).toBeGreaterThanOrEqual(full);
    await age(connection, key, 5_000);
    expect((await store.change(user(1), set(1, 1))).cart.expiresMs).toBeGreaterThanOrEqual(full);
    expect(await connection.pttl(key)).toBeGreaterThan(7.9 * day);
  });

  it("A cart that Redis lost has a version above all earlier ones.", async () => {
    const { keys, ...where } = place();
    const { store, connection } = await openCarts({ ...where, keys });
    const before = (await store.change(user(1), add(1, 1))).cart.version;
    await connection.del(keys.cart("user:1"));
    let other = 1;
    await until(
      "the next second",
      async () => (await store.read(user(++other))).cart.version > before,
    );
    expect((await store.read(user(1))).cart.version).toBeGreaterThan(before);
  });
});

describe.each(PLACES)("a guest's cart on %s", (_name, place) => {
  const FOREVER = Number.MAX_SAFE_INTEGER;

  it("A sealed cart takes no writes, and a second seal answers like the first.", async () => {
    const { store } = await openCarts(place());
    await store.change(guest("g"), add(1, 2, { operationId: "op" }));
    const sealed = await store.seal("g", 5);
    expect(sealed).toMatchObject({
      move: { userId: 5, arrived: false },
      lines: [{ productId: 1, quantity: 2 }],
    });
    expect(sealed.operations).toHaveLength(2);
    expect(await store.seal("g", 6)).toEqual(sealed);
    expect(await store.change(guest("g"), add(1, 1))).toMatchObject({
      outcome: "moved",
      move: sealed.move,
    });
    expect((await store.read(guest("g"))).move).toEqual(sealed.move);
  });

  it("A guest's cart is merged once, however often it is tried.", async () => {
    const { store } = await openCarts(place());
    await store.change(user(5), add(1, 1));
    for (const [product, quantity] of [
      [1, 2],
      [3, 4],
      [2, 1],
    ] as const)
      await store.change(guest("g"), add(product, quantity, { price: 90 }));
    const merges = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const { move, lines, operations } = await store.seal("g", 5);
        const done = await store.merge(
          move,
          lines.map((line) => ({ ...line, stock: FOREVER })),
          operations,
        );
        await store.moved("g", move);
        return done;
      }),
    );
    expect(merges.filter((done) => done)).toHaveLength(1);
    expect((await store.read(user(5))).cart.lines).toEqual([
      { productId: 1, quantity: 3, unitPrice: 90 },
      { productId: 3, quantity: 4, unitPrice: 90 },
      { productId: 2, quantity: 1, unitPrice: 90 },
    ]);
    expect(await store.read(guest("g"))).toMatchObject({
      cart: { lines: [] },
      move: { userId: 5, arrived: true },
    });
  });

  it("A guest's operations come along: one that the account repeats counts once.", async () => {
    const { store } = await openCarts(place());
    const wanted = add(1, 2, { operationId: "lost" });
    await store.change(guest("g"), wanted);
    const { move, lines, operations } = await store.seal("g", 5);
    await store.merge(
      move,
      lines.map((line) => ({ ...line, stock: FOREVER })),
      operations,
    );
    expect(await store.change(user(5), wanted)).toMatchObject({
      outcome: "repeated",
      cart: { lines: [{ quantity: 2 }] },
    });
  });

  it("A guest's cart is clamped to 999, 200 lines and the stock, and loses nothing.", async () => {
    const { store } = await openCarts(place());
    for (let product = 1; product <= 199; product++) await store.change(user(5), add(product, 1));
    await store.change(user(5), set(1, 900));
    await store.change(user(5), set(2, 8));
    for (const [product, quantity] of [
      [1, 900],
      [2, 3],
      [3, 5],
      [300, 7],
      [301, 1],
    ] as const)
      await store.change(guest("g"), add(product, quantity));
    const { move, lines, operations } = await store.seal("g", 5);
    const stocks = new Map([
      [2, 4],
      [3, 4],
      [300, 0],
    ]);
    await store.merge(
      move,
      lines.map((line) => ({ ...line, stock: stocks.get(line.productId) ?? FOREVER })),
      operations,
    );
    const merged = new Map(contents((await store.read(user(5))).cart));
    expect([
      merged.size,
      merged.get(1),
      merged.get(2),
      merged.get(3),
      merged.get(300),
      merged.get(301),
    ]).toEqual([200, 999, 8, 4, 1, undefined]);
  });

  it("A guest's empty cart arrives at once, and is new if writes are not followed.", async () => {
    const { keys, ...where } = place();
    const { store, connection } = await openCarts({ ...where, keys });
    expect(await store.seal("g", 5)).toMatchObject({
      move: { userId: 5, arrived: true },
      lines: [],
    });
    const { version } = (await store.read(guest("g"))).cart;
    expect((await store.change(guest("g"), add(1, 1))).outcome).toBe("moved");
    await age(connection, keys.cart("guest:g"), 600_000);
    const anew = await store.change(guest("g"), add(1, 1));
    expect([anew.outcome, anew.move, contents(anew.cart), anew.cart.version > version]).toEqual([
      "done",
      null,
      [[1, 1]],
      true,
    ]);
    // Whoever comes late with the old move changes nothing.
    await store.moved("g", { userId: 5, mergeId: "g:1", arrived: false });
    expect(contents((await store.read(guest("g"))).cart)).toEqual([[1, 1]]);
  });

  it("A seal that Redis lost is made again for the same merge.", async () => {
    const { keys, ...where } = place();
    const { store, connection } = await openCarts({ ...where, keys });
    await store.change(guest("g"), add(1, 2));
    const { move } = await store.seal("g", 5);
    const [version, expires] = ((await connection.hget(keys.cart("guest:g"), "cart")) ?? "").split(
      "|",
    );
    await connection.hset(keys.cart("guest:g"), "cart", `${version}|${expires}`);
    expect((await store.seal("g", 5)).move).toEqual(move);
  });
});

describe("without a reply", () => {
  it("A change whose reply is lost with the link is sent again and counted once.", async () => {
    const { url, keys } = testRedis();
    const { hostname, port } = new URL(url);
    const proxy = await createProxy({ target: { host: hostname, port: Number(port) } });
    onTestFinished(() => proxy.close());
    const { store } = await openCarts({ url: `redis://${proxy.host}:${proxy.port}`, keys });
    await store.read(user(1));
    for (let times = 1; times <= 5; times++) {
      const { dropped } = proxy.dropReplies((chunk) => chunk.includes("done"));
      const changing = store.change(user(1), add(1, 1));
      await dropped;
      await proxy.restore();
      proxy.hangUp();
      expect(await changing).toMatchObject({
        outcome: "repeated",
        cart: { lines: [{ quantity: times }] },
      });
    }
  });

  it("A silent or lost Redis rejects within a second, and has every cart when back.", async () => {
    const server = await startRedisServer({
      args: ["--appendonly", "yes", "--appendfsync", "always"],
    });
    onTestFinished(() => server.stop());
    const { store } = await openCarts({ url: server.url, keys: createKeys() });
    const before = (await store.change(user(1), add(1, 3))).cart;
    await server.kill("SIGSTOP");
    await expect(store.read(user(1))).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    await server.kill("SIGCONT");
    await server.kill();
    const asked = await Promise.allSettled([
      store.read(user(1)),
      store.change(user(1), add(1, 1)),
      store.seal("g", 1),
      store.expiryOfNew(),
    ]);
    expect(asked.map((one) => one.status === "rejected" && one.reason.code)).toEqual(
      Array(4).fill("SERVICE_UNAVAILABLE"),
    );
    await server.restart();
    expect((await until("the connection", () => store.read(user(1)))).cart).toEqual(before);
  });

  it("A full Redis refuses changes and goes on reading.", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const { store } = await openCarts({ url: server.url, keys: createKeys() });
    const before = (await store.change(user(1), add(1, 3))).cart;
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    await admin.config("SET", "maxmemory", "1");
    await expect(store.change(user(1), add(1, 1))).rejects.toMatchObject({
      code: "SERVICE_UNAVAILABLE",
    });
    expect((await store.read(user(1))).cart).toEqual(before);
    expect((await store.read(user(2))).cart.lines).toEqual([]);
  });
});
