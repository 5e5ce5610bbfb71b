/**
 * The peer: the same slice of the schema, written as most teams write it. Apollo Server with its
 * default plugins on Fastify, plain resolvers, new DataLoaders per request, each of them one MGET
 * and, for what is missing, one SQL statement and a SET with a TTL.
 */
import { ApolloServer } from "@apollo/server";
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from "@as-integrations/fastify";
import DataLoader from "dataloader";
import fastify from "fastify";
import { Redis } from "ioredis";
import pg from "pg";

const TTL_SECONDS = 3_600;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const redis = new Redis(process.env.REDIS_URL);
const BIGINT_ARRAY = 1016;
const parseTexts = pg.types.getTypeParser(BIGINT_ARRAY);
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(BIGINT_ARRAY, (text) => parseTexts(text).map(Number));

const typeDefs = `#graphql
  type Money { amount: Float! currency: String! }
  type Rating { average: Float! count: Int! }
  type Product {
    id: ID! name: String! description: String! sku: String!
    price: Money! stock: Int! rating: Rating! category: Category!
  }
  type ProductEdge { cursor: String! node: Product! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type ProductConnection { edges: [ProductEdge!]! pageInfo: PageInfo! }
  type Category {
    id: ID! name: String! slug: String!
    products(first: Int = 20): ProductConnection!
  }
  type Query { categories: [Category!]! category(id: ID!): Category }
`;

const keyOf = (id) => Number(Buffer.from(id, "base64url").toString().split(":")[1]);
const globalId = (type, key) => Buffer.from(`${type}:${key}`).toString("base64url");

/** Many keys: one MGET, one statement for the misses, one pipeline of SETs. */
const cachedLoader = (prefix, read) =>
  new DataLoader(async (keys) => {
    const texts = await redis.mget(keys.map((key) => `usual:${prefix}:${key}`));
    const missing = keys.filter((_, index) => texts[index] === null);
    const loaded = missing.length > 0 ? await read(missing) : new Map();
    const fill = redis.pipeline();
    for (const key of missing)
      fill.set(
        `usual:${prefix}:${key}`,
        JSON.stringify(loaded.get(key) ?? null),
        "EX",
        TTL_SECONDS,
      );
    if (missing.length > 0) await fill.exec();
    return keys.map((key, index) =>
      texts[index] === null ? (loaded.get(key) ?? null) : JSON.parse(texts[index]),
    );
  });

const byId = (rows) => new Map(rows.map((row) => [row.id, row]));
const PRODUCTS =
  "SELECT id, name, description, sku, price, stock, rating_sum, rating_count, category_id " +
  "FROM products WHERE id = ANY($1)";
const CATEGORIES = "SELECT id, name, slug FROM categories WHERE id = ANY($1)";
const CATEGORY_IDS = "SELECT id, path, name FROM categories";
const PAGES = `
  SELECT wanted.id AS category, ARRAY(
    SELECT p.id FROM products p
    WHERE p.removed_at IS NULL
      AND p.category_id IN (SELECT c.id FROM categories c WHERE c.path @> ARRAY[wanted.id])
    ORDER BY p.id DESC LIMIT 21) AS ids
  FROM unnest($1::bigint[]) AS wanted(id)`;

const makeLoaders = () => ({
  product: cachedLoader("product", async (ids) => byId((await pool.query(PRODUCTS, [ids])).rows)),
  category: cachedLoader("category", async (ids) =>
    byId((await pool.query(CATEGORIES, [ids])).rows),
  ),
  newest: cachedLoader(
    "newest",
    async (ids) =>
      new Map((await pool.query(PAGES, [ids])).rows.map((row) => [row.category, row.ids])),
  ),
  categoryIds: cachedLoader(
    "categories",
    async () => new Map([["all", inTreeOrder((await pool.query(CATEGORY_IDS)).rows)]]),
  ),
});

/** Parents before children, siblings by name. */
function inTreeOrder(rows) {
  const children = (parent, depth) =>
    rows
      .filter(({ path }) => path.length === depth && (depth === 1 || path[depth - 2] === parent))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(({ id }) => [id, ...children(id, depth + 1)]);
  return children(null, 1);
}

const resolvers = {
  Query: {
    categories: async (_, __, { loaders }) =>
      loaders.category.loadMany(await loaders.categoryIds.load("all")),
    category: (_, { id }, { loaders }) => loaders.category.load(keyOf(id)),
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
  },
};

const app = fastify();
const apollo = new ApolloServer({ typeDefs, resolvers, plugins: [fastifyApolloDrainPlugin(app)] });
await apollo.start();
app.route({
  url: "/graphql",
  method: ["GET", "POST"],
  handler: fastifyApolloHandler(apollo, { context: async () => ({ loaders: makeLoaders() }) }),
});
app.get("/livez", async () => ({ status: "ok" }));
process.once("SIGTERM", () => void app.close().then(() => process.exit(0)));
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
