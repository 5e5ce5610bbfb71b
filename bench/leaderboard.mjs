/**
 * What a board costs at 1,000, 100,000 and 1,000,000 members: submit, top 10, around and rank, in
 * Redis and in the process that asks, beside plain ZADD, ZREVRANGE and ZREVRANK by ioredis on a
 * sorted set of the same size. Then the rate of the mutation itself, scores written into the ledger
 * and ranks answered. Redis is timed by its own `INFO commandstats`, the process by its CPU time.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ADMIN_TOKEN, seed, startSouk } from "./contestants.mjs";
import { ask, load } from "./load.mjs";
import { cpuMicros, startPostgres, startRedis, stopAll } from "./processes.mjs";

const SIZES = [1_000, 100_000, 1_000_000];
const LARGEST = 5_000_000;
const CALLS = 5_000;
const AT_ONCE = 50;
const FILL_AT_ONCE = 1_000;
/** Rows of one script in group commit. */
const BATCH = 50;
const OWNERS = 10_000;
const WARM_UP_SECONDS = 2;

/** Runs everything and prints Markdown. */
export async function benchLeaderboard({ dist, large, seconds, connections }) {
  try {
    const { url, redis } = await startRedis();
    const kit = await openStore(dist, url);
    for (const size of large ? [...SIZES, LARGEST] : SIZES) await benchSize(kit, redis, size);
    kit.close();
    await redis.flushall();
    await benchMutation({ dist, redisUrl: url, seconds, connections });
  } finally {
    await stopAll();
  }
}

/** The store of a built tree, as a process has it. */
async function openStore(dist, url) {
  const from = (file) => import(pathToFileURL(join(dist, file)).href);
  const [
    { registerScripts },
    { createCallers },
    { createKeys },
    { createBoardStore },
    { ALL_TIME },
  ] = await Promise.all(
    [
      "redis/client/scripts.js",
      "redis/client/call.js",
      "redis/client/keys.js",
      "redis/leaderboard/leaderboard.js",
      "domain/leaderboard/periods.js",
    ].map(from),
  );
  // Without the deadlines of a server: a machine that is busy elsewhere must not end the bench.
  const { Redis } = await import("ioredis");
  const connection = new Redis(url);
  registerScripts(connection);
  const caller = createCallers({ connection }).of("leaderboard", { deadlineMs: 60_000 });
  const store = createBoardStore(caller, createKeys());
  return { connection, store, windows: { ALL_TIME }, close: () => connection.disconnect() };
}

const row = (owner, score, sequence) => ({
  owner,
  score,
  reached: sequence,
  metadata: null,
  submittedMs: 1_700_000_000_000,
});
const owner = (at) => `VXNlcjox${at}`;

async function benchSize(kit, redis, size) {
  await redis.flushall();
  const build = await fill(kit, size);
  await fillPlain(redis, size);
  const random = (below) => Math.floor(Math.random() * below);
  let sequence = size;
  const next = (answer) => {
    sequence += 1;
    const name = owner(random(size));
    return { sequence, owner: name, answer, rows: { ALL_TIME: row(name, random(1e6), sequence) } };
  };
  const submit = (count, answer) => {
    const rows = Array.from({ length: count }, () => next(answer));
    const range = [rows[0].sequence, sequence];
    return kit.store.apply(build, {
      windows: kit.windows,
      range,
      submittedMs: 1_700_000_000_000,
      rows,
    });
  };
  const read = (run) =>
    kit.store.read(build, { period: "ALL_TIME", window: kit.windows.ALL_TIME, present: true, run });
  const questions = [
    ["submit, with ranks", 1, () => submit(1, "rank")],
    [`submit, with ranks, ${BATCH} in a script`, BATCH, () => submit(BATCH, "rank")],
    ["ZADD", 1, () => redis.zadd("plain", random(1e6), owner(random(size)))],
    ["top 10", 1, () => read({ from: "place", place: 0, count: 10 })],
    ["ZREVRANGE 0 9 WITHSCORES", 1, () => redis.zrevrange("plain", 0, 9, "WITHSCORES")],
    ["entry", 1, () => read({ from: "owner", owner: owner(random(size)) })],
    ["ZREVRANK", 1, () => redis.zrevrank("plain", owner(random(size)))],
    [
      "around, 5 on each side",
      1,
      () => read({ from: "around", owner: owner(random(size)), radius: 5 }),
    ],
  ];
  console.log(
    `\n### ${size.toLocaleString("en")} members\n\n| what | Redis µs | process CPU µs ` +
      "|\n|---|---:|---:|",
  );
  for (const [name, rows, question] of questions) {
    const { redisMicros, cpu } = await measure(
      redis,
      question,
      rows > 1 ? { calls: CALLS / rows, atOnce: 2 } : { calls: CALLS, atOnce: AT_ONCE },
    );
    console.log(`| ${name} | ${(redisMicros / rows).toFixed(1)} | ${(cpu / rows).toFixed(1)} |`);
  }
}

/** A board of one period, built as a rebuild does it. */
async function fill({ store, windows }, size) {
  const board = { id: 1, order: "DESC", tieRule: "FIRST_TO_REACH", periods: ["ALL_TIME"] };
  const build = await store.begin(board, "bench");
  const startedAt = performance.now();
  for (let from = 1; from <= size; from += FILL_AT_ONCE) {
    const rows = Array.from({ length: Math.min(FILL_AT_ONCE, size - from + 1) }, (_, index) => {
      const at = from + index;
      return { sequence: at, row: row(owner(at - 1), Math.floor(Math.random() * 1e6), at) };
    });
    await store.load(build, "bench", { period: "ALL_TIME", startMs: 0, rows });
  }
  await store.serve(build, "bench", { windows, applied: size, builtMs: 1, closedMs: {} });
  console.log(
    `\nA board of ${size.toLocaleString("en")} was built in Redis in ` +
      `${((performance.now() - startedAt) / 1_000).toFixed(1)} s.`,
  );
  return build;
}

async function fillPlain(redis, size) {
  for (let from = 0; from < size; from += FILL_AT_ONCE) {
    const members = Array.from({ length: Math.min(FILL_AT_ONCE, size - from) }, (_, at) => [
      Math.floor(Math.random() * 1e6),
      owner(from + at),
    ]);
    await redis.zadd("plain", ...members.flat());
  }
}

/**
 * Time in Redis and CPU of this process, per call. Commands that scripts call are counted in the
 * script's own time.
 */
async function measure(redis, question, { calls, atOnce }) {
  for (let call = 0; call < calls / 10; call += 1) await question();
  await redis.config("RESETSTAT");
  const before = process.cpuUsage();
  let left = calls;
  const one = async () => {
    while (left-- > 0) await question();
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const { user, system } = process.cpuUsage(before);
  const stats = [
    ...(await redis.info("commandstats")).matchAll(/cmdstat_(\w+):calls=(\d+),usec=(\d+)/g),
  ].map(([, name, , usec]) => [name, Number(usec)]);
  const script = stats.find(([name]) => name === "evalsha");
  const outer = script ? [script] : stats.filter(([name]) => name.startsWith("z"));
  return {
    redisMicros: outer.reduce((sum, [, usec]) => sum + usec, 0) / calls,
    cpu: (user + system) / calls,
  };
}

/**
 * The mutation: HTTP, ledger, board and ranks, closed loads of different width. Without fsync, as
 * the bench's Postgres runs.
 */
async function benchMutation({ dist, redisUrl, seconds, connections }) {
  const { url: databaseUrl } = await startPostgres();
  await seed(dist, databaseUrl);
  const souk = await startSouk({ dist, databaseUrl, redisUrl });
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const create =
    'mutation ($slug: String!) { createLeaderboard(input: { slug: $slug, title: "Bench", ' +
    "operator: SUM }) { errors { code } } }";
  await ask(souk.url, { query: create, variables: { slug: "bench" } }, headers);
  const query =
    "mutation ($input: ScoreInput!) { submitScore(input: $input) { changes { period rank " +
    "previousRank score } errors { code } } }";
  const bodies = Array.from({ length: OWNERS }, (_, at) =>
    JSON.stringify({ query, variables: { input: { slug: "bench", owner: owner(at), score: 1 } } }),
  );
  console.log(
    `\n### submitScore, four periods, ${OWNERS.toLocaleString("en")} owners, Postgres ` +
      "without fsync\n",
  );
  console.log(
    "| under way at once | scores/s | CPU µs/score | scores per transaction " +
      "|\n|---:|---:|---:|---:|",
  );
  for (const width of [1, connections, 8 * connections]) {
    await load(souk.url, bodies, { connections: width, seconds: WARM_UP_SECONDS, headers });
    const [cpu, commits] = [cpuMicros(souk.pid), await commitsOf(souk)];
    const { requests, seconds: took } = await load(souk.url, bodies, {
      connections: width,
      seconds,
      headers,
    });
    const [spent, made] = [cpuMicros(souk.pid) - cpu, (await commitsOf(souk)) - commits];
    console.log(
      `| ${width} | ${(requests / took).toFixed(0)} | ${(spent / requests).toFixed(0)} | ` +
        `${(requests / made).toFixed(1)} |`,
    );
  }
}

/** Transactions that committed scores so far, as the server counts them. */
async function commitsOf({ url }) {
  const text = await (await fetch(new URL("/metrics", url))).text();
  return Number(/^souk_score_commit_seconds_count (\d+)/m.exec(text)?.[1] ?? 0);
}
