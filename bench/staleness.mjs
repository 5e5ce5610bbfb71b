/**
 * How old a read may be while the shop changes: nine reads of one product for each change of a
 * stock, over all products. Changes go through one process, reads through another, whose CPU is
 * counted. Beside it Apollo's cache of whole responses, whose answers live for a second.
 *
 * A read is stale by the time since the first change that it lacks was answered. A client that
 * brings the token of its own change has to see it.
 */
import { Pool } from "undici";
import { ADMIN_TOKEN, open, PEERS, startPeer, startSouk } from "./contestants.mjs";
import { cpuMicros, stopAll } from "./processes.mjs";
import { bearer } from "./read/shop.mjs";
import { markdown } from "./read/table.mjs";

const PATIENT = { LOAD_WAIT_MS: "30000", LOAD_LAG_MS: "30000" };
const PEER = "apollo-response-cache";
const PEER_TTL = { TTL_SECONDS: "1" };
const WRITE_SHARE = 0.1;
/** Of the writes, so many are followed by a read of the same client. */
const OWN_READ_SHARE = 0.25;
/** Some products are asked for far more often than others. */
const SKEW = 3;
const READ = "query One($id: ID!) { product(id: $id) { id name stock rating { average count } } }";
const WRITE =
  "mutation Adjust($id: ID!) { adjustStock(id: $id, by: 1) { product { stock } errors { code } } }";

/** Measures both readers in turn and prints a table. */
export async function benchStaleness({ rounds, seconds, connections, ...options }) {
  try {
    const place = await open(options);
    const writer = await startSouk({ ...place, env: PATIENT });
    const souk = await startSouk({ ...place, env: PATIENT });
    const peer = PEERS.find(({ name }) => name === PEER);
    const readers = [
      { title: "Souk, another process", reader: souk, takesToken: true },
      {
        title: `${peer.title}, 1 s`,
        reader: await startPeer({ ...peer, env: PEER_TTL }, place),
        takesToken: false,
      },
    ];
    const { rows } = await place.pool.query("SELECT id, stock FROM products ORDER BY id");
    const shop = rows.map(({ id, stock }) => new Watched(Number(id), stock));
    for (const one of readers) {
      one.rounds = [];
      await readAll(one.reader, shop, connections);
    }
    for (let round = 0; round < rounds; round += 1)
      for (const one of round % 2 === 0 ? readers : [...readers].reverse())
        one.rounds.push(await runRound(one, { writer, shop, connections, seconds }));
    print(readers);
  } finally {
    await stopAll();
  }
}

/** A product: its stock at the start, and when each of its changes was answered. */
class Watched {
  answeredAt = [];

  constructor(key, stock) {
    this.id = Buffer.from(`Product:${key}`).toString("base64url");
    this.stock = stock;
  }

  /** By how many ms a read that began then is stale. */
  staleness(stock, beganAt) {
    const lacking = this.answeredAt[stock - this.stock];
    return lacking === undefined ? 0 : Math.max(0, beganAt - lacking);
  }
}

/** As often as Souk stores an answer, and then answers from it. */
const WARM_UP_PASSES = 3;

async function readAll({ url }, shop, connections) {
  const pool = new Pool(new URL(url).origin, { connections, pipelining: 1 });
  const asked = Array.from({ length: WARM_UP_PASSES }, () => shop).flat();
  const client = async () => {
    for (let product = asked.pop(); product; product = asked.pop())
      await post(pool, { query: READ, id: product.id }, {});
  };
  await Promise.all(Array.from({ length: connections }, client));
  await pool.close();
}

async function runRound({ reader, takesToken }, { writer, shop, connections, seconds }) {
  const found = { reads: 0, writes: 0, stale: [], ownReads: 0, ownStale: 0 };
  const pools = [reader, writer].map(
    ({ url }) => new Pool(new URL(url).origin, { connections, pipelining: 1 }),
  );
  const [reads, writes] = pools;
  const read = async (product, headers) => {
    const beganAt = performance.now();
    const { data } = await post(reads, { query: READ, id: product.id }, headers);
    found.reads += 1;
    return { stock: data.product.stock, staleMs: product.staleness(data.product.stock, beganAt) };
  };
  const write = async (product) => {
    const asked = { query: WRITE, id: product.id };
    const { data, seen } = await post(writes, asked, bearer(ADMIN_TOKEN));
    found.writes += 1;
    // Changes of one product may be answered in another order than they were made.
    const { stock } = data.adjustStock.product;
    product.answeredAt[stock - 1 - product.stock] = performance.now();
    return { stock, seen };
  };
  const endsAt = performance.now() + 1_000 * seconds;
  const client = async () => {
    while (performance.now() < endsAt) {
      const product = shop[Math.floor(shop.length * Math.random() ** SKEW)];
      if (Math.random() >= WRITE_SHARE) found.stale.push((await read(product, {})).staleMs);
      else {
        const { stock, seen } = await write(product);
        if (!takesToken || Math.random() >= OWN_READ_SHARE) continue;
        found.ownReads += 1;
        if ((await read(product, { "souk-seen": seen })).stock < stock) found.ownStale += 1;
      }
    }
  };
  const cpuBefore = cpuMicros(reader.pid);
  await Promise.all(Array.from({ length: connections }, client));
  const cpu = cpuMicros(reader.pid) - cpuBefore;
  await Promise.all(pools.map((pool) => pool.close()));
  return { ...found, cpu: cpu / found.reads };
}

async function post(pool, { query, id }, headers) {
  const answer = await pool.request({
    path: "/graphql",
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables: { id } }),
  });
  const text = await answer.body.text();
  const { data, errors } = JSON.parse(text);
  if (errors) throw new Error(text.slice(0, 500));
  return { data, seen: answer.headers["souk-seen"] };
}

function print(readers) {
  const lines = readers.map(({ title, rounds }) => {
    const all = (what) => rounds.flatMap((round) => round[what]);
    const sum = (what) => all(what).reduce((total, count) => total + count, 0);
    const stale = all("stale").sort((a, b) => a - b);
    const cpu = rounds.map((round) => round.cpu).sort((a, b) => a - b);
    const share = stale.filter((ms) => ms > 0).length / stale.length;
    return [
      title,
      `${cpu[0].toFixed(0)}, ${cpu[Math.floor(cpu.length / 2)].toFixed(0)}`,
      `${sum("reads")}`,
      `${sum("writes")}`,
      `${(100 * share).toFixed(2)} %`,
      `${stale[Math.floor(0.99 * stale.length)].toFixed(1)} ms`,
      `${stale.at(-1).toFixed(1)} ms`,
      sum("ownReads") === 0 ? "–" : `${sum("ownStale")} of ${sum("ownReads")}`,
    ];
  });
  const heads = ["reader", "CPU µs/read", "reads", "changes", "stale", "p99", "longest"];
  console.log(`\n${markdown([...heads, "own change not seen"], lines)}`);
}
