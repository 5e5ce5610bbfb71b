/**
 * What one read costs: 20 products each of 50 categories out of 10,000, with price, rating and
 * category, cache hot. CPU of the server process per request, requests a second, SQL statements and
 * Redis commands per request, beside the usual server over the same data in the same run. Rounds
 * are interleaved, because the machine's own speed moves; only ratios of one run mean anything.
 */
import { seed, startSouk, startUsual } from "./contestants.mjs";
import { measureDelay } from "./delay.mjs";
import { ask, load } from "./load.mjs";
import { cpuMicros, startPostgres, startRedis, stopAll } from "./processes.mjs";

const PRODUCTS =
  "products(first: 20) { edges { node { id name price { amount currency } rating { average " +
  "count } category { id name } } } }";
const STOREFRONT = { query: `query Storefront { categories { id name ${PRODUCTS} } }` };
const CATEGORY = `query Category($id: ID!) { category(id: $id) { id name ${PRODUCTS} } }`;

/** What is read: everything at once, and one category after the other. */
export const READS = [
  { title: "50 categories × 20 products in one request", operations: () => [STOREFRONT] },
  {
    title: "20 products of one of 50 categories",
    operations: (ids) => ids.map((id) => ({ query: CATEGORY, variables: { id } })),
  },
];

/** The ids of all categories, as clients see them. */
export async function categoryIds(url) {
  const { categories } = await ask(url, { query: "{ categories { id } }" });
  return categories.map(({ id }) => id);
}

const WARM_UP_SECONDS = 3;

/** Runs the whole comparison and prints it. */
export async function benchRead(options) {
  try {
    const place = await open(options);
    const servers = [await startSouk(place), await startUsual(place)];
    const ids = await categoryIds(servers[0].url);
    for (const { title, operations } of READS)
      await benchOne({ title, operations: operations(ids) }, servers, place, options);
    await servers[1].stop();
    await measureDelay({ ...place, writer: servers[0], writes: options.writes });
  } finally {
    await stopAll();
  }
}

async function benchOne({ title, operations }, servers, place, options) {
  for (const operation of operations) await compareAnswers(servers, operation);
  const rounds = await runRounds(servers, place, {
    ...options,
    bodies: operations.map((operation) => JSON.stringify(operation)),
  });
  print(title, servers, rounds, options);
}

/** Private servers with the shop in them. */
export async function open({ dist }) {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  console.log("Filling the shop …");
  await seed(dist, postgres.url);
  return {
    dist,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    pool: postgres.pool,
    redis: redis.redis,
  };
}

/** A comparison of different answers would compare nothing. */
async function compareAnswers(servers, operation) {
  const [first, ...others] = await Promise.all(servers.map(({ url }) => ask(url, operation)));
  for (const other of others) {
    const difference = firstDifference(first, other, "data");
    if (difference) throw new Error(`The servers do not answer the same: ${difference}`);
  }
}

function firstDifference(a, b, path) {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null)
    return a === b ? null : `${path}: ${a} and ${b}`;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const difference = firstDifference(a[key], b[key], `${path}.${key}`);
    if (difference) return difference;
  }
  return null;
}

/** CPU, requests, statements and commands of every round, by the server's name. */
export async function runRounds(servers, place, { rounds, seconds, connections, bodies }) {
  for (const { url } of servers) await load(url, bodies, { connections, seconds: WARM_UP_SECONDS });
  const results = new Map(servers.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Turned round every time, so that nobody always runs after the same other.
    const order = round % 2 === 0 ? servers : [...servers].reverse();
    for (const server of order)
      results
        .get(server.name)
        .push(await runRound(server, place, { connections, seconds, bodies }));
    process.stdout.write(`  round ${round + 1} of ${rounds}\r`);
  }
  return results;
}

async function runRound({ pid, url }, { pool, redis }, { bodies, ...options }) {
  const before = await counts(pool, redis);
  const cpuBefore = cpuMicros(pid);
  const { requests, seconds } = await load(url, bodies, options);
  const cpu = cpuMicros(pid) - cpuBefore;
  const after = await counts(pool, redis);
  const perRequest = (what) => Math.max(0, after[what] - before[what]) / requests;
  return {
    cpu: cpu / requests,
    rps: requests / seconds,
    sql: perRequest("sql"),
    redis: perRequest("redis"),
  };
}

/** Statements and commands so far, those of this question taken out. */
let questions = 0;
async function counts(pool, redis) {
  const { rows } = await pool.query(
    "SELECT coalesce(sum(calls), 0)::float8 AS calls FROM pg_stat_statements WHERE query NOT " +
      "LIKE '%pg_stat_statements%'",
  );
  questions += 1;
  const commands = Number(/total_commands_processed:(\d+)/.exec(await redis.info("stats"))[1]);
  return { sql: rows[0].calls, redis: commands - questions };
}

const sorted = (values) => [...values].sort((a, b) => a - b);
export const medianOf = (values) => sorted(values)[Math.floor(values.length / 2)];

function print(title, servers, results, { rounds, seconds, connections }) {
  console.log(
    `\n### ${title}\n\nCache hot, ${rounds} interleaved rounds of ${seconds} s, ` +
      `${connections} requests at once, Node ${process.version}\n`,
  );
  console.log(
    "| server | CPU µs/request, calmest | median | requests/s, median | SQL/request | Redis " +
      "commands/request |",
  );
  console.log("|---|---:|---:|---:|---:|---:|");
  const best = new Map();
  for (const { name } of servers) {
    const rows = results.get(name);
    const column = (what) => rows.map((row) => row[what]);
    best.set(name, { calmest: Math.min(...column("cpu")), median: medianOf(column("cpu")) });
    const figures = [
      best.get(name).calmest.toFixed(0),
      best.get(name).median.toFixed(0),
      medianOf(column("rps")).toFixed(0),
      medianOf(column("sql")).toFixed(2),
      medianOf(column("redis")).toFixed(2),
    ];
    console.log(`| ${name} | ${figures.join(" | ")} |`);
  }
  const [souk, usual] = servers.map(({ name }) => best.get(name));
  const ratio = (which) => (souk[which] / usual[which]).toFixed(2);
  console.log(
    `\nSouk's CPU is ${ratio("calmest")} × the usual server's in the calmest round, ` +
      `${ratio("median")} × in the median (aim: ≤ 0.5 ×).`,
  );
}
