/**
 * What the peers share: a slice of Souk's schema over Souk's tables, as most teams write it. Plain
 * resolvers, new DataLoaders for each request, one SQL statement for each batch. A peer adds its
 * server, and says which of the two kinds of loaders it uses.
 *
 * Sessions, carts and counters are keys of Redis that the bench writes. A session is looked up only
 * where an answer needs it. No peer limits anything.
 */
import DataLoader from "dataloader";
import { Redis } from "ioredis";
import pg from "pg";

export const HOST = "127.0.0.1";
export const PORT = Number(process.env.PORT);
/** Longer than a run, so that rounds find every cache warm. */
export const TTL_SECONDS = Number(process.env.TTL_SECONDS ?? 3_600);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
export const redis = new Redis(process.env.REDIS_URL);
process.once("SIGTERM", () => process.exit(0));

const BIGINT_ARRAY = 1016;
const parseTexts = pg.types.getTypeParser(BIGINT_ARRAY);
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(BIGINT_ARRAY, (text) => parseTexts(text).map(Number));

/** `@cacheControl` is Apollo's; the others ignore it. */
export const typeDefs = `#graphql
  directive @cacheControl(maxAge: Int) on FIELD_DEFINITION
  type Money { amount: Float! currency: String! }
  type Rating { average: Float! count: Int! }
  type ProductStats { views: Int! likes: Int! shares: Int! }
  type Product {
    id: ID! name: String! description: String! sku: String!
    price: Money! stock: Int! rating: Rating! category: Category!
    stats: ProductStats! @cacheControl(maxAge: 0)
  }
  type ProductEdge { cursor: String! node: Product! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type ProductConnection { edges: [ProductEdge!]! pageInfo: PageInfo! }
  type Category {
    id: ID! name: String! slug: String!
    products(first: Int = 20): ProductConnection!
  }
  type User { id: ID! name: String! }
  type Viewer { user: User! }
  type Cart { quantity: Int! }
  type UserError { code: String! }
  type CartPayload { cart: Cart errors: [UserError!]! }
  type ProductStatsPayload { errors: [UserError!]! }
  type Query {
    categories: [Category!]!
    category(id: ID!): Category
    product(id: ID!): Product
    viewer: Viewer @cacheControl(maxAge: 0)
    cart: Cart! @cacheControl(maxAge: 0)
  }
  type Mutation {
    setCartLine(productId: ID!, quantity: Int!): CartPayload!
    trackView(productId: ID!): ProductStatsPayload!
  }
`;

/** Fields whose answer no cache of responses may keep. */
export const NEVER_STORED = ["Query.viewer", "Query.cart", "Product.stats"];

const keyOf = (id) => Number(Buffer.from(id, "base64url").toString().split(":")[1]);
const globalId = (type, key) => Buffer.from(`${type}:${key}`).toString("base64url");

const byId = (rows) => new Map(rows.map((row) => [row.id, row]));
const PRODUCTS =
  "SELECT id, name, description, sku, price, stock, rating_sum, rating_count, category_id " +
  "FROM products WHERE id = ANY($1)";
const CATEGORIES = "SELECT id, name, slug FROM categories WHERE id = ANY($1)";
const CATEGORY_IDS = "SELECT id, path, name FROM categories";
const USERS = "SELECT id, name FROM users WHERE id = ANY($1)";
const PAGES = `
  SELECT wanted.id AS category, ARRAY(
    SELECT p.id FROM products p
    WHERE p.removed_at IS NULL
      AND p.category_id IN (SELECT c.id FROM categories c WHERE c.path @> ARRAY[wanted.id])
    ORDER BY p.id DESC LIMIT 21) AS ids
  FROM unnest($1::bigint[]) AS wanted(id)`;

/** Parents before children, siblings by name. */
function inTreeOrder(rows) {
  const children = (parent, depth) =>
    rows
      .filter(({ path }) => path.length === depth && (depth === 1 || path[depth - 2] === parent))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(({ id }) => [id, ...children(id, depth + 1)]);
  return children(null, 1);
}

/** Many keys in, a map of what was found out; one statement each. */
const READERS = {
  product: async (ids) => byId((await pool.query(PRODUCTS, [ids])).rows),
  category: async (ids) => byId((await pool.query(CATEGORIES, [ids])).rows),
  user: async (ids) => byId((await pool.query(USERS, [ids])).rows),
  newest: async (ids) =>
    new Map((await pool.query(PAGES, [ids])).rows.map((row) => [row.category, row.ids])),
  categoryIds: async () => new Map([["all", inTreeOrder((await pool.query(CATEGORY_IDS)).rows)]]),
};

const inOrder = (keys, found) => keys.map((key) => found.get(key) ?? null);

/** Straight to PostgreSQL. */
const databaseLoader = (_, read) =>
  new DataLoader(async (keys) => inOrder(keys, await read([...keys])));

/** One MGET, one statement for the misses, one pipeline of SETs. */
const redisLoader = (name, read) =>
  new DataLoader(async (keys) => {
    const cacheKey = (key) => `${process.env.PEER}:${name}:${key}`;
    const texts = await redis.mget(keys.map(cacheKey));
    const missing = keys.filter((_, index) => texts[index] === null);
    if (missing.length === 0) return texts.map((text) => JSON.parse(text));
    const loaded = await read(missing);
    const fill = redis.pipeline();
    for (const key of missing)
      fill.set(cacheKey(key), JSON.stringify(loaded.get(key) ?? null), "EX", TTL_SECONDS);
    await fill.exec();
    return keys.map((key, index) =>
      texts[index] === null ? (loaded.get(key) ?? null) : JSON.parse(texts[index]),
    );
  });

/** Counters are never cached: one pipeline for the whole page. */
const statsLoader = () =>
  new DataLoader(async (ids) => {
    const read = redis.pipeline();
    for (const id of ids) read.hmget(`stats:${id}`, "views", "likes", "shares");
    return (await read.exec()).map(([, counts]) => {
      const [views, likes, shares] = counts.map(Number);
      return { views, likes, shares };
    });
  });

/** What a request has: its own loaders, and who asks, looked up once at most. */
const contextWith = (loader) => (authorization) => {
  const loaders = { stats: statsLoader() };
  for (const [name, read] of Object.entries(READERS)) loaders[name] = loader(name, read);
  let asked;
  const userId = () => {
    asked ??= redis.get(`session:${authorization?.slice("Bearer ".length)}`).then(Number);
    return asked;
  };
  return { loaders, userId };
};
export const databaseContext = contextWith(databaseLoader);
export const redisContext = contextWith(redisLoader);

const sum = (quantities) => quantities.reduce((total, quantity) => total + Number(quantity), 0);

/** Where mutations count: no session is looked up, and a repeat counts again. */
const CART = "cart:anybody";
const VIEWS = "views";

export const resolvers = {
  Query: {
    categories: async (_, __, { loaders }) =>
      loaders.category.loadMany(await loaders.categoryIds.load("all")),
    category: (_, { id }, { loaders }) => loaders.category.load(keyOf(id)),
    product: (_, { id }, { loaders }) => loaders.product.load(keyOf(id)),
    viewer: async (_, __, { loaders, userId }) => {
      const id = await userId();
      return id === 0 ? null : { user: await loaders.user.load(id) };
    },
    cart: async (_, __, { userId }) => ({
      quantity: sum(await redis.hvals(`cart:${await userId()}`)),
    }),
  },
  Mutation: {
    setCartLine: async (_, { productId, quantity }) => {
      const change = redis.pipeline().hincrby(CART, productId, quantity).hvals(CART);
      const [, [, quantities]] = await change.exec();
      return { cart: { quantity: sum(quantities) }, errors: [] };
    },
    trackView: async (_, { productId }) => {
      await redis.hincrby(VIEWS, productId, 1);
      return { errors: [] };
    },
  },
  Category: {
    id: ({ id }) => globalId("Category", id),
    products: async ({ id }, { first }, { loaders }) => {
      const ids = await loaders.newest.load(id);
      const page = (await loaders.product.loadMany(ids.slice(0, first))).filter(Boolean);
      const edges = page.map((node) => ({ cursor: globalId("cursor", node.id), node }));
      return {
        edges,
        pageInfo: { hasNextPage: ids.length > first, endCursor: edges.at(-1)?.cursor ?? null },
      };
    },
  },
  Product: {
    id: ({ id }) => globalId("Product", id),
    price: ({ price }) => ({ amount: price, currency: "EUR" }),
    rating: ({ rating_sum, rating_count }) => ({
      average: rating_count === 0 ? 0 : Math.round((100 * rating_sum) / rating_count) / 100,
      count: rating_count,
    }),
    category: ({ category_id }, _, { loaders }) => loaders.category.load(category_id),
    stats: ({ id }, _, { loaders }) => loaders.stats.load(id),
  },
  User: { id: ({ id }) => globalId("User", id) },
};
