/**
 * What a cart costs: adding to one and reading one, beside the plain commands of ioredis that would
 * keep and show the same lines (HSET and HGETALL) with no versions, operations, limits, expiry or
 * live messages. First Souk's store alone, where a change answers the whole cart, too; then the
 * API, with guests, products and prices around it.
 *
 * CPU of Redis is what it says of its process (INFO cpu), the client's own is process.cpuUsage, the
 * server's is from /proc. Rounds are interleaved: only ratios of one run mean anything.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { Pool } from "undici";
import { ADMIN_TOKEN, seed, startSouk } from "./contestants.mjs";
import { ask } from "./load.mjs";
import { cpuMicros, startPostgres, startRedis, stopAll } from "./processes.mjs";

const OWNERS = 100;
const SIZES = [5, 50];
/**
 * One at a time, as a request meets Redis, and many in one write, where travel costs next to
 * nothing.
 */
const AT_ONCE = [1, 20];
const PRODUCTS = {
  query:
    "{ products(filter: { inStock: true }, sort: PRICE_ASC, first: 50) { edges { node { id } } } }",
};
const LINES =
  "lines { product { id name } quantity unitPrice { amount } total { amount } priceChanged " +
  "available }";
const ADD =
  "mutation Add($productId: ID!) { addToCart(productId: $productId) { cart { version " +
  "quantity } errors { code } } }";
const SET =
  "mutation Set($productId: ID!) { setCartLine(productId: $productId, quantity: 1) { errors " +
  "{ code } } }";
const STOCK = "mutation Stock($id: ID!) { adjustStock(id: $id, by: 1000000) { errors { code } } }";
const READ = `{ cart { version quantity subtotal { amount } ${LINES} } }`;

/** Measures everything and prints it. */
export async function benchCart(options) {
  try {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    const place = {
      ...options,
      databaseUrl: postgres.url,
      redisUrl: redis.url,
      redis: redis.redis,
    };
    await benchStore(place);
    console.log("\nFilling the shop …");
    await seed(options.dist, postgres.url);
    await benchApi(place);
  } finally {
    await stopAll();
  }
}

/** CPU of the Redis process so far, in µs. */
async function redisMicros(redis) {
  const info = await redis.info("cpu");
  const seconds = (name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)[1]);
  return 1e6 * (seconds("used_cpu_user") + seconds("used_cpu_sys"));
}

/** Keeps `atOnce` under way for so long; resolves to how many were done. */
async function closedLoad(one, { seconds, atOnce }) {
  const endsAt = performance.now() + 1_000 * seconds;
  let done = 0;
  const worker = async () => {
    while (performance.now() < endsAt) await one(done++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return done;
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[Math.floor(values.length / 2)];

/** Runs contestants in rounds, turned round each time; resolves to the figures of each. */
async function interleave(contestants, rounds, measure) {
  const results = new Map(contestants.map(({ name }) => [name, []]));
  for (const contestant of contestants) await measure(contestant, 1);
  for (let round = 0; round < rounds; round += 1) {
    for (const one of round % 2 === 0 ? contestants : [...contestants].reverse())
      results.get(one.name).push(await measure(one));
    process.stdout.write(`  round ${round + 1} of ${rounds}\r`);
  }
  return results;
}

async function openStore({ dist, redisUrl }) {
  const load = (file) => import(pathToFileURL(join(dist, "redis", file)).href);
  const [{ connectRedis, whenReady }, { createCallers }, { createKeys }, cartRoom] =
    await Promise.all(
      ["client/connect.js", "client/call.js", "client/keys.js", "cart/cart.js"].map(load),
    );
  const { CART_DEADLINE_MS, createCartStore } = cartRoom;
  const silent = () => {};
  const connection = connectRedis({
    url: redisUrl,
    role: "requests",
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  await whenReady(connection, 10_000);
  const caller = createCallers({ connection }).of("cart", { deadlineMs: CART_DEADLINE_MS });
  return {
    store: createCartStore(caller, createKeys(), { ttlMs: 604_800_000 }),
    close: () => connection.disconnect(),
  };
}

async function benchStore({ redis, redisUrl, rounds, seconds, ...options }) {
  const { store, close } = await openStore({ redisUrl, ...options });
  const plain = new Redis(redisUrl);
  const owner = (at) => ({ kind: "user", userId: 1 + (at % OWNERS) });
  const key = (at) => `plain:{${1 + (at % OWNERS)}}`;
  const put = (productId, kind = "add", quantity = 1) => ({
    action: { kind, productId, quantity, price: 1_000, stock: 2_147_483_647 },
    operationId: null,
    expectedVersion: null,
  });
  for (const size of SIZES) {
    for (let at = 0; at < OWNERS; at += 1) {
      await store.change(owner(at), {
        action: { kind: "clear" },
        operationId: null,
        expectedVersion: null,
      });
      for (let product = 1; product <= size; product += 1) {
        await store.change(owner(at), put(product));
        await plain.hset(key(at), product, "1:1000");
      }
    }
    let turn = 0;
    const contestants = [
      // A line holds at most 999, so lines are set to and fro instead: the same script, and every
      // time a change.
      {
        name: "add, Souk",
        one: (at) => store.change(owner(at), put(1 + (at % size), "set", 1 + (turn++ % 900))),
      },
      {
        name: "add, HSET + HGETALL",
        one: (at) =>
          Promise.all([
            plain.hset(key(at), 1 + (at % size), `${1 + (turn++ % 900)}:1000`),
            plain.hgetall(key(at)),
          ]),
      },
      {
        name: "add, HSET",
        one: (at) => plain.hset(key(at), 1 + (at % size), `${1 + (turn++ % 900)}:1000`),
      },
      { name: "read, Souk", one: (at) => store.read(owner(at)) },
      { name: "read, HGETALL", one: (at) => plain.hgetall(key(at)) },
    ];
    for (const atOnce of AT_ONCE) {
      const results = await interleave(contestants, rounds, async ({ one }, short) => {
        const before = [await redisMicros(redis), process.cpuUsage()];
        const done = await closedLoad(one, { seconds: short ?? seconds, atOnce });
        const own = process.cpuUsage(before[1]);
        return {
          redis: ((await redisMicros(redis)) - before[0]) / done,
          client: (own.user + own.system) / done,
        };
      });
      printStore(size, results, { rounds, seconds, atOnce });
    }
  }
  plain.disconnect();
  close();
}

function printStore(size, results, { rounds, seconds, atOnce }) {
  console.log(
    `\n### The store: carts of ${size} lines\n\n${rounds} interleaved rounds of ${seconds} ` +
      `s, ${atOnce} at once, Node ${process.version}\n`,
  );
  console.log("| | Redis CPU µs, calmest | median | client CPU µs, calmest | median |");
  console.log("|---|---:|---:|---:|---:|");
  const best = new Map();
  for (const [name, rows] of results) {
    const column = (what) => rows.map((row) => row[what]);
    const figures = ["redis", "client"].flatMap((what) => [
      Math.min(...column(what)),
      median(column(what)),
    ]);
    best.set(name, figures);
    console.log(`| ${name} | ${figures.map((figure) => figure.toFixed(1)).join(" | ")} |`);
  }
  const ratio = (a, b, at) => (best.get(a)[at] / best.get(b)[at]).toFixed(2);
  for (const [a, b] of [
    ["add, Souk", "add, HSET + HGETALL"],
    ["read, Souk", "read, HGETALL"],
  ]) {
    console.log(
      `\n${a} takes ${ratio(a, b, 0)} × the CPU of Redis of ${b} in the calmest round, ` +
        `${ratio(a, b, 1)} × in the median (aim: ≤ 1.5 ×).`,
    );
  }
}

async function benchApi({ redis, rounds, seconds, connections, ...place }) {
  const server = await startSouk(place);
  const products = (await ask(server.url, PRODUCTS)).products.edges.map(({ node }) => node.id);
  const size = SIZES[0];
  for (const id of products.slice(0, size))
    await ask(
      server.url,
      { query: STOCK, variables: { id } },
      { authorization: `Bearer ${ADMIN_TOKEN}` },
    );
  const guests = [];
  for (let at = 0; at < OWNERS; at += 1)
    guests.push(await fillCart(server.url, products.slice(0, size)));
  const { origin, pathname } = new URL(server.url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const send = async (at, body) => {
    const headers = { "content-type": "application/json", "souk-guest": guests[at % OWNERS] };
    const answer = await pool.request({
      path: pathname,
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200 || text.startsWith('{"errors"')) throw new Error(text);
  };
  const contestants = [
    {
      name: "setCartLine",
      one: (at) => send(at, { query: SET, variables: { productId: products[at % size] } }),
    },
    {
      name: "addToCart",
      one: (at) => send(at, { query: ADD, variables: { productId: products[at % size] } }),
    },
    { name: "cart, 5 lines with products", one: (at) => send(at, { query: READ }) },
  ];
  const results = await interleave(contestants, rounds, async ({ one }, short) => {
    const before = [await redisMicros(redis), cpuMicros(server.pid)];
    const done = await closedLoad(one, { seconds: short ?? seconds, atOnce: connections });
    return {
      server: (cpuMicros(server.pid) - before[1]) / done,
      redis: ((await redisMicros(redis)) - before[0]) / done,
    };
  });
  await pool.close();
  printApi(results, { rounds, seconds, connections });
}

/** Makes a guest with a line of each product; resolves to the token. */
async function fillCart(url, products) {
  let guest = "";
  for (const productId of products) {
    const headers = { "content-type": "application/json", ...(guest && { "souk-guest": guest }) };
    const response = await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify({ query: SET, variables: { productId } }),
    });
    guest ||= response.headers.get("souk-guest");
    const { data, errors } = await response.json();
    if (errors || data.setCartLine.errors.length > 0)
      throw new Error(JSON.stringify(errors ?? data));
  }
  return guest;
}

function printApi(results, { rounds, seconds, connections }) {
  console.log(
    `\n### The API: carts of ${SIZES[0]} lines\n\n${rounds} interleaved rounds of ${seconds} ` +
      `s, ${connections} requests at once\n`,
  );
  console.log(
    "| | server CPU µs/request, calmest | median | Redis CPU µs/request, calmest | median |",
  );
  console.log("|---|---:|---:|---:|---:|");
  for (const [name, rows] of results) {
    const column = (what) => rows.map((row) => row[what]);
    const figures = ["server", "redis"].flatMap((what) => [
      Math.min(...column(what)),
      median(column(what)),
    ]);
    console.log(`| ${name} | ${figures.map((figure) => figure.toFixed(0)).join(" | ")} |`);
  }
}
