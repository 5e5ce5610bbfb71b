/**
 * Whether prices are fair: CPU of the server, of Redis and of PostgreSQL for each unit of cost,
 * over operations of every kind, cached and not. A unit of none may take more than ten times the
 * median. What an operation costs is what its answer says, and the reading of a new document; CPU
 * is from /proc.
 */
import { ADMIN_TOKEN, seed, startSouk } from "./contestants.mjs";
import { cpuMicros, familyMicros, startPostgres, startRedis, stopAll } from "./processes.mjs";

const MOST = 10;
const AT_ONCE = 4;
const WARM_UP_SECONDS = 0.3;
const PASSWORD = "correct horse battery staple";
let unique = 0;
/** A number that was not asked for before. */
const next = () => ++unique;

/** So many tokens and a few. */
const filler = (tokens) =>
  Array(Math.floor(tokens / 12))
    .fill("id name sku price { amount } brand { id name }")
    .join(" ");

const TOKEN = /\.\.\.|"[^"]*"|\w+|[^\s\w]/g;
/**
 * A document that the server has to read, and what is owed for that beside the cost that its answer
 * says.
 */
const unread = (make) => () => {
  const query = make();
  return { query, reading: Math.ceil(query.match(TOKEN).length / 10) };
};

/** By name, what is asked: the same each time, or made anew. `as` says who asks. */
function table({ products, category, board, owner, anyUser }) {
  const one = JSON.stringify(products[0]);
  const ids = JSON.stringify(products.slice(0, 50));
  const stats = (fields) => `{ product(id: ${one}) { stats { ${fields} } } }`;
  const slug = JSON.stringify(board);
  const page = (args, fields) =>
    `{ products(${args}) { ${fields} edges { node { name price { amount } } } } }`;
  /** A page that no cache holds, of a document that is known. */
  const filtered = (args, fields, filter) => () => ({
    query: `query($filter: ProductFilter) { products(${args}, filter: $filter) { ${fields} } }`,
    variables: { filter: filter(next()) },
  });
  const nodes = "edges { node { name price { amount } } }";
  return {
    "least possible": "{ __typename }",
    "one product": `{ product(id: ${one}) { name } }`,
    "50 by their ids": `{ nodes(ids: ${ids}) { ... on Product { name rating { average } } } }`,
    "page of 20 with brands":
      "{ products(first: 20) { edges { node { name price { amount } rating { average } brand " +
      "{ name } } } } }",
    "page of 100": page("first: 100", ""),
    "20 in each category":
      "{ categories { name products(first: 20) { edges { node { name rating { average } } } } } }",
    "tree of categories": "{ categories { name parent { name } children { name } } }",
    "page with a price, not cached": filtered("first: 20", nodes, (minPrice) => ({ minPrice })),
    "one with a price, not cached": filtered("first: 1", "edges { cursor }", (minPrice) => ({
      minPrice,
    })),
    "page in stock by price, not cached": filtered(
      "first: 20, sort: PRICE_ASC",
      nodes,
      (minPrice) => ({ inStock: true, minPrice }),
    ),
    "count with a price, not cached": filtered("first: 1", "totalCount", (minPrice) => ({
      minPrice,
    })),
    "text, not cached": filtered("first: 20", nodes, (price) => ({
      text: "oak",
      maxPrice: 9_000_000 + price,
    })),
    "text with count, not cached": filtered("first: 1", "totalCount", (price) => ({
      text: "a",
      maxPrice: 9_000_000 + price,
    })),
    "text by rating, not cached": filtered("first: 20, sort: RATING", nodes, (price) => ({
      text: "oak t",
      maxPrice: 9_000_000 + price,
    })),
    "category with count":
      `{ category(id: "${category}") { products(first: 20) { totalCount edges { node { name } ` +
      "} } } }",
    "brands by prefix, not cached": () => ({
      query:
        "query($text: String) { brands(first: 20, text: $text) { totalCount edges { node { " +
        "name } } } }",
      variables: { text: `a${next()}` },
    }),
    "reviews of 20":
      "{ products(first: 20) { edges { node { reviews(first: 5) { totalCount edges { node { " +
      "body } } } } } } }",
    counters: stats("views viewsToday likes shares uniqueViewers { estimate }"),
    "90 days": stats("daily(days: 90) { day views uniqueViewers { estimate } }"),
    "36 months": stats("monthly(months: 36) { month views likes }"),
    "viewers of 90 days": stats("uniqueViewers(days: 90) { estimate }"),
    "board, top 100":
      `{ leaderboard(slug: ${slug}) { entries(first: 100) { edges { node { rank score label } ` +
      "} } } }",
    "board, around 50":
      `{ leaderboard(slug: ${slug}) { around(owner: "${owner}", radius: 50) { rank score } ` +
      "} }",
    "board, totals":
      `{ leaderboard(slug: ${slug}) { total a: total(period: DAY) b: total(period: WEEK) c: ` +
      "total(period: MONTH) } }",
    "cart of 200 lines": {
      as: "buyer",
      query: "{ cart { lines { quantity product { name } total { amount } } } }",
    },
    "subtotal of 200 lines": { as: "buyer", query: "{ cart { subtotal { amount } } }" },
    "change of a cart": {
      as: "buyer",
      query:
        `mutation { setCartLine(productId: ${one}, quantity: 3) { warnings { code } cart { ` +
        "version } } }",
    },
    viewer: { as: "buyer", query: "{ viewer { user { name } unreadCount sessions { device } } }" },
    inbox: {
      as: "buyer",
      query: "{ viewer { notifications(first: 20) { totalCount edges { node { title } } } } }",
    },
    view: () =>
      "mutation { trackView(productId: " +
      `${JSON.stringify(products[next() % products.length])}) { stats { views } } }`,
    like: {
      as: "buyer",
      query:
        `mutation { like(productId: ${one}) { errors { code } } unlike(productId: ${one}) { ` +
        "errors { code } } }",
    },
    review: {
      as: "buyer",
      query:
        `mutation { addReview(input: { productId: ${one}, rating: 4, body: "Good." }) { review ` +
        "{ id } } }",
    },
    score: () => ({
      as: "buyer",
      query:
        `mutation { submitScore(input: { slug: ${slug}, score: ${next()} }) { changes { rank } ` +
        "} }",
    }),
    "sign-in": {
      query: "mutation($input: SignInInput!) { signIn(input: $input) { token } }",
      variables: {
        input: { email: "signs-in@bench.example", password: PASSWORD, deliver: "TOKEN" },
      },
    },
    "stock, as admin": {
      as: "admin",
      query: `mutation { adjustStock(id: ${one}, by: 1) { product { stock } } }`,
    },
    "notification to one": {
      as: "admin",
      query:
        'mutation { sendNotification(input: { kind: "a", title: "t", body: "", userIds: ' +
        `["${anyUser}"] }) { recipients } }`,
    },
    "activity of 90 days": { as: "admin", query: "{ activity(days: 90) { days { day daily } } }" },
    "the schema":
      "{ __schema { types { name fields { name type { name ofType { name ofType { name } } } " +
      "args { name type { name } } } } } }",
    "new document, short": unread(() => `query Q${next()} { __typename }`),
    "new document of 100 tokens": unread(
      () => `query Q${next()} { product(id: ${one}) { ${filler(90)} } }`,
    ),
    "new document of 600 tokens": unread(
      () =>
        `query Q${next()} { product(id: ${one}) { ...A } } fragment A on Product { ` +
        `${filler(580)} }`,
    ),
  };
}

/** Measures the table and prints it. */
export async function benchPrice({ dist, seconds }) {
  try {
    const place = await open(dist);
    const rows = [];
    const operations = Object.entries(table(place.shop));
    // What runs first would pay for the compiler.
    for (const [, what] of operations) await measure(place, what, WARM_UP_SECONDS);
    for (const [name, what] of operations) {
      rows.push({ name, ...(await measure(place, what, seconds)) });
      process.stdout.write(`  ${rows.length} measured\r`);
    }
    print(rows);
  } finally {
    await stopAll();
  }
}

async function open(dist) {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  console.log("Filling the shop …");
  await seed(dist, postgres.url);
  const server = await startSouk({
    dist,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    env: { LIMIT_COST: "100000", EXPLORER: "graphiql" },
  });
  const place = {
    server,
    postgres,
    redis,
    headers: { admin: { authorization: `Bearer ${ADMIN_TOKEN}` } },
  };
  return { ...place, shop: await prepare(place) };
}

/** Somebody with a full cart, and a board with a hundred scores. */
async function prepare(place) {
  const ask = async (operation) => (await send(place, operation)).data;
  const email = "price@bench.example";
  const input = { email, password: PASSWORD, name: "Ben", deliver: "TOKEN" };
  const SIGN_UP =
    "mutation($input: SignUpInput!) { signUp(input: $input) { token viewer { user { id } } } }";
  const { signUp } = await ask({ query: SIGN_UP, variables: { input } });
  // Of many sessions the oldest go, so another signs in.
  await ask({
    query: SIGN_UP,
    variables: { input: { ...input, email: "signs-in@bench.example" } },
  });
  place.headers.buyer = { authorization: `Bearer ${signUp.token}` };
  const listing =
    "query($after: String) { products(first: 100, after: $after, filter: { inStock: true }) " +
    "{ pageInfo { endCursor } edges { node { id } } } }";
  const first = (await ask({ query: listing })).products;
  const second = (await ask({ query: listing, variables: { after: first.pageInfo.endCursor } }))
    .products;
  const products = [...first.edges, ...second.edges].map(({ node }) => node.id);
  for (const id of products)
    await ask({
      as: "buyer",
      query: "mutation($id: ID!) { addToCart(productId: $id) { cart { id } } }",
      variables: { id },
    });
  await ask({
    as: "admin",
    query:
      'mutation { createLeaderboard(input: { slug: "bench", title: "Bench" }) { errors { ' +
      "code } } }",
  });
  const score = "mutation($input: ScoreInput!) { submitScore(input: $input) { changes { rank } } }";
  for (let at = 0; at < 200; at += 1)
    await ask({
      as: "admin",
      query: score,
      variables: { input: { slug: "bench", owner: `o${at}`, score: at } },
    });
  const { categories } = await ask({ query: "{ categories { id } }" });
  return {
    products,
    category: categories[0].id,
    board: "bench",
    owner: "o100",
    anyUser: signUp.viewer.user.id,
  };
}

async function send({ server, headers }, operation) {
  const { as, reading, ...body } = typeof operation === "string" ? { query: operation } : operation;
  const response = await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(as && headers[as]) },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (answer.errors)
    throw new Error(`${JSON.stringify(answer.errors[0])}\n${body.query.slice(0, 300)}`);
  return answer;
}

const made = (what) => (typeof what === "function" ? what() : what);

async function measure(place, what, seconds) {
  for (let at = 0; at < 20; at += 1) await send(place, made(what));
  const cpu = () => [
    cpuMicros(place.server.pid),
    cpuMicros(place.redis.pid),
    familyMicros(place.postgres.pid),
  ];
  const before = cpu();
  const endsAt = performance.now() + 1_000 * seconds;
  let [requests, units] = [0, 0];
  const one = async () => {
    while (performance.now() < endsAt) {
      const operation = made(what);
      const { extensions } = await send(place, operation);
      requests += 1;
      units += extensions.cost.actual + (operation.reading ?? 0);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  const used = cpu().map((micros, at) => (micros - before[at]) / units);
  return {
    units: units / requests,
    requests,
    used,
    total: used.reduce((sum, part) => sum + part, 0),
  };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function print(rows) {
  const middle = median(rows.map(({ total }) => total));
  console.log(
    `\n### CPU µs a unit of cost (median ${middle.toFixed(0)}, Node ${process.version})\n`,
  );
  console.log(
    "| operation | units | server | Redis | Postgres | together | × median " +
      "|\n|---|---:|---:|---:|---:|---:|---:|",
  );
  for (const { name, units, used, total } of rows) {
    const figures = [...used, total].map((micros) => micros.toFixed(0));
    console.log(
      `| ${name} | ${units.toFixed(1)} | ${figures.join(" | ")} | ${(total / middle).toFixed(1)} |`,
    );
  }
  const over = rows.filter(({ total }) => total > MOST * middle);
  console.log(
    `\n${over.length === 0 ? "None" : over.map(({ name }) => name).join(", ")} above ${MOST} ` +
      "× the median.",
  );
  if (over.length > 0) process.exitCode = 1;
}
