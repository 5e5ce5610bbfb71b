/**
 * What is asked: the rows of the table. A row is a list of operations that are sent in turn, each
 * with a name and at most one id, by which the bounds find the bytes that they send.
 */
const PRODUCTS =
  "products(first: 20) { edges { node { id name price { amount currency } rating { average " +
  "count } category { id name } } } }";
const PAGE = `query Page($id: ID!) { category(id: $id) { id name ${PRODUCTS} } }`;
const STOREFRONT = `query Storefront { categories { id name ${PRODUCTS} } }`;
const ONE =
  "query One($id: ID!) { product(id: $id) { id name price { amount currency } stock rating { " +
  "average count } } }";
const VIEWER =
  `query PageAndViewer($id: ID!) { category(id: $id) { id name ${PRODUCTS} } ` +
  "viewer { user { name } } cart { quantity } }";
const STATS =
  "query Stats($id: ID!) { category(id: $id) { products(first: 20) { edges { node { id stats { " +
  "views likes shares } } } } } }";
const SET_CART_LINE =
  "mutation SetCartLine($id: ID!, $quantity: Int!) { setCartLine(productId: $id, quantity: " +
  "$quantity) { cart { quantity } errors { code } } }";
const TRACK_VIEW = "mutation TrackView($id: ID!) { trackView(productId: $id) { errors { code } } }";

/** PostGraphile names things by the tables. */
const NEWEST =
  "products: newest(first: 20) { edges { node { id: rowId name price ratingSum ratingCount " +
  "category: categoryByCategoryId { id: rowId name } } } }";
const NEWEST_PAGE = `query Page($id: BigInt!) { category: categoryByRowId(rowId: $id) { id: rowId name ${NEWEST} } }`;
const NEWEST_STOREFRONT = `query Storefront { categories: allCategories { nodes { id: rowId name ${NEWEST} } } }`;

const globalId = (type, key) => Buffer.from(`${type}:${key}`).toString("base64url");
const rowId = (id) => Buffer.from(id, "base64url").toString().split(":")[1];

/** A category of PostGraphile as Souk answers it. */
const toCategory = ({ id, name, products: { edges } }) => ({
  id: globalId("Category", id),
  name,
  products: { edges: edges.map(({ node }) => ({ node: toProduct(node) })) },
});

function toProduct({ id, name, price, ratingSum, ratingCount, category }) {
  const count = Number(ratingCount);
  const average = count === 0 ? 0 : Math.round((100 * Number(ratingSum)) / count) / 100;
  return {
    id: globalId("Product", id),
    name,
    price: { amount: Number(price), currency: "EUR" },
    rating: { average, count },
    category: { id: globalId("Category", category.id), name: category.name },
  };
}

function byOrderOf(categories) {
  const places = new Map(categories.map(({ id }, at) => [id, at]));
  return (a, b) => places.get(a.id) - places.get(b.id);
}

/** Who reads PostgreSQL for each request. */
const COLD_PEERS = ["apollo-express", "mercurius-pg", "postgraphile"];

/** Documents that Souk has in its manifest: their GET may be kept by caches. */
export const MANIFEST = { page: PAGE };

/** How many products the cart of the `set-cart-line` row holds. */
const CART_LINES = 3;

const post = (operation) => ({ operation, method: "POST", body: JSON.stringify(operation) });

function get(operation) {
  const { query, operationName, variables } = operation;
  const search = new URLSearchParams({
    query,
    operationName,
    variables: JSON.stringify(variables),
  });
  return { operation, method: "GET", search: `?${search}` };
}

/** One operation for each id. */
const forIds = (ids, query, variables = {}) => {
  const [, operationName] = /^\w+ (\w+)/.exec(query);
  return ids.map((id) => ({ query, operationName, variables: { id, ...variables } }));
};

/** Mutations answer something else each time: what counts is that none is refused. */
const isDone = (bytes) => bytes.includes('"errors":[]');

/**
 * `requests(shop)` are those of a row; `as` says who asks Souk. Peers look no session up,
 * unless `isPrivate`: then the viewer asks all servers. `peers` are those of a row that is not for
 * all of them. Of a row that `isCold` nobody keeps an answer; a peer with a schema of its own is
 * asked what `foreign` says. A row that `isHeld` sends Souk the entity tags of its answers. Mutations come last, because they change what others read.
 */
export const ROWS = [
  {
    name: "page",
    title: "20 products of one of 50 categories",
    as: ["anonymous", "signed in"],
    requests: ({ categoryIds }) => forIds(categoryIds, PAGE).map(post),
  },
  {
    name: "storefront",
    title: "50 categories × 20 products in one request",
    as: ["anonymous", "signed in"],
    requests: () => [post({ query: STOREFRONT, operationName: "Storefront" })],
  },
  {
    name: "one",
    title: "one product by its id",
    as: ["anonymous", "signed in"],
    requests: ({ productIds }) => forIds(productIds, ONE).map(post),
  },
  {
    name: "page-get",
    title: "the page of 20 by GET",
    as: ["anonymous"],
    isKept: true,
    requests: ({ categoryIds }) => forIds(categoryIds, PAGE).map(get),
  },
  {
    name: "page-304",
    title: "the page of 20 by GET, held by the client (bounds send it whole)",
    as: ["anonymous"],
    peers: ["bare-fastify"],
    isKept: true,
    isHeld: true,
    requests: ({ categoryIds }) => forIds(categoryIds, PAGE).map(get),
  },
  {
    name: "viewer",
    title: "the page of 20 with the viewer's name and cart",
    as: ["signed in"],
    isPrivate: true,
    requests: ({ categoryIds }) => forIds(categoryIds, VIEWER).map(post),
  },
  {
    name: "stats",
    title: "counters of 20 products: public, never stored",
    as: ["anonymous"],
    requests: ({ categoryIds }) => forIds(categoryIds, STATS).map(post),
  },
  {
    name: "page-cold",
    title: "20 products of one of 50 categories, from PostgreSQL each time",
    as: ["past the cache"],
    peers: COLD_PEERS,
    isCold: true,
    requests: ({ categoryIds }) => forIds(categoryIds, PAGE).map(post),
    foreign: {
      postgraphile: {
        requests: ({ categoryIds }) => forIds(categoryIds.map(rowId), NEWEST_PAGE).map(post),
        toData: ({ category }) => ({ category: toCategory(category) }),
      },
    },
  },
  {
    name: "storefront-cold",
    title: "50 categories × 20 products, from PostgreSQL each time",
    as: ["past the cache"],
    peers: COLD_PEERS,
    isCold: true,
    requests: () => [post({ query: STOREFRONT, operationName: "Storefront" })],
    foreign: {
      postgraphile: {
        requests: () => [post({ query: NEWEST_STOREFRONT, operationName: "Storefront" })],
        // Its order is that of the ids, Souk's that of the tree.
        toData: ({ categories: { nodes } }, { categories }) => ({
          categories: nodes.map(toCategory).sort(byOrderOf(categories)),
        }),
      },
    },
  },
  {
    name: "set-cart-line",
    title: "setCartLine, beside HINCRBY and HVALS",
    as: ["signed in"],
    peers: ["mercurius"],
    isRight: isDone,
    requests: ({ inStockIds }) =>
      [1, 2].flatMap((quantity) =>
        forIds(inStockIds.slice(0, CART_LINES), SET_CART_LINE, { quantity }).map(post),
      ),
  },
  {
    name: "track-view",
    title: "trackView, beside HINCRBY",
    as: ["signed in"],
    peers: ["mercurius"],
    isRight: isDone,
    requests: ({ productIds }) => forIds(productIds, TRACK_VIEW).map(post),
  },
];

/** The rows whose answers are the same each time, so that bounds can send their bytes. */
export const STORED_ROWS = ROWS.filter(({ isRight, isCold }) => !isRight && !isCold);

/** Those of the names; all of them when none is given. */
export function choose(all, names, alsoKnown = []) {
  const known = [...all.map(({ name }) => name), ...alsoKnown];
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown) throw new Error(`There is no ${unknown}: choose of ${known.join(", ")}.`);
  return names ? all.filter(({ name }) => names.includes(name)) : all;
}
