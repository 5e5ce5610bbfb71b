/**
 * The shop as the rows need it: ids to ask for, one customer with a cart, views on every product,
 * and the same for the peers, in their database of Redis.
 */
import { Redis } from "ioredis";
import { ADMIN_TOKEN, peerRedisUrl } from "../contestants.mjs";
import { ask, askText } from "../load.mjs";
import { storedKey } from "../peers/stored-key.mjs";
import { STORED_ROWS } from "./rows.mjs";

const IDS =
  "{ categories { id products(first: 20) { edges { node { id } } } } products(filter: { inStock: " +
  "true }, sort: PRICE_ASC, first: 20) { edges { node { id } } } }";
const SIGN_UP = "mutation SignUp($input: SignUpInput!) { signUp(input: $input) { token } }";
const ADD = "mutation Add($id: ID!) { addToCart(productId: $id) { errors { code } } }";
const VIEWED =
  "mutation Viewed($id: ID!) { trackView(productId: $id) { stats { views likes shares } errors { " +
  "code } } }";
const ACCOUNT = {
  email: "read@bench.example",
  password: "correct horse battery staple",
  name: "Ben",
  deliver: "TOKEN",
};
const LINES = 3;

export const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** Souk's own answer past its cache: what the database holds. */
export const PAST_CACHE = { ...bearer(ADMIN_TOKEN), "souk-cache": "bypass" };

/** What a caller of a row sends. */
export const headersOf = (caller, token) =>
  ({ anonymous: {}, "signed in": bearer(token), "past the cache": PAST_CACHE })[caller];

/** Prepares Souk and the peers' keys; resolves to the ids to ask for and the customer's token. */
export async function prepareShop(souk, place) {
  const { categories, products } = await ask(souk.url, { query: IDS });
  const pages = categories.map((category) => idsOf(category.products));
  const { signUp } = await ask(souk.url, { query: SIGN_UP, variables: { input: ACCOUNT } });
  const shop = {
    categoryIds: categories.map(({ id }) => id),
    productIds: pages.map(([first]) => first),
    inStockIds: idsOf(products),
    token: signUp.token,
  };
  const change = (query, id) => ask(souk.url, { query, variables: { id } }, bearer(shop.token));
  for (const id of shop.inStockIds.slice(0, LINES)) await change(ADD, id);
  const stats = new Map();
  for (const id of pages.flat()) stats.set(id, (await change(VIEWED, id)).trackView.stats);
  await fillPeers(place, shop, stats);
  return shop;
}

const idsOf = ({ edges }) => edges.map(({ node }) => node.id);

/** What peers find in Redis: session, cart and counters. */
async function fillPeers({ pool, redisUrl }, { token, inStockIds }, stats) {
  const { rows } = await pool.query("SELECT id FROM users WHERE email = $1", [ACCOUNT.email]);
  const userId = rows[0].id;
  await withPeerRedis(redisUrl, async (write) => {
    write.set(`session:${token}`, userId);
    for (const id of inStockIds.slice(0, LINES)) write.hset(`cart:${userId}`, id, 1);
    for (const [id, counts] of stats) write.hset(`stats:${rowId(id)}`, counts);
  });
}

const rowId = (id) => Buffer.from(id, "base64url").toString().split(":")[1];

/** Gives the bounds what they send: the bytes that Souk answers each request with. */
export async function storeAnswers(souk, { redisUrl }, shop) {
  await withPeerRedis(redisUrl, async (write) => {
    for (const { as, requests } of STORED_ROWS)
      for (const request of requests(shop)) {
        const headers = as.includes("anonymous") ? {} : bearer(shop.token);
        const { text } = await askText(souk.url, request, headers);
        write.set(storedKey(request.operation), text);
      }
  });
}

/** One pipeline of writes. */
async function withPeerRedis(redisUrl, fill) {
  const redis = new Redis(peerRedisUrl(redisUrl));
  try {
    const write = redis.pipeline();
    await fill(write);
    for (const [error] of await write.exec()) if (error) throw error;
  } finally {
    redis.disconnect();
  }
}
