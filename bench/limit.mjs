/**
 * What it costs to know who asks and whether they may: the same read by somebody who is signed in,
 * by nobody, and from a server that looks up no session and limits nothing; and what a refusal
 * costs that is made from memory. CPU of the server process from /proc, µs of Redis by its own
 * account of scripts. Rounds are interleaved; only what was measured in one round is compared.
 */
import { fileURLToPath } from "node:url";
import { Pool } from "undici";
import { open, startSouk } from "./contestants.mjs";
import { ask } from "./load.mjs";
import { cpuMicros, stopAll } from "./processes.mjs";

/** Counters are never stored, so each request is executed. */
const READ = {
  query:
    "query Read($first: Int!) { products(first: $first) { edges { node { id name price { " +
    "amount } rating { average } brand { name } stats { views } } } } }",
  variables: { first: 20 },
};
const SIGN_UP = "mutation SignUp($input: SignUpInput!) { signUp(input: $input) { token } }";
const WARM_UP_SECONDS = 2;

/** Runs the comparison and prints it. */
export async function benchLimit(options) {
  try {
    const place = await open(options);
    const contestants = await start(place);
    for (const one of contestants) await run(one, place, { ...options, seconds: WARM_UP_SECONDS });
    const rounds = [];
    for (let round = 0; round < options.rounds; round += 1) {
      const order = round % 2 === 0 ? contestants : [...contestants].reverse();
      const figures = {};
      for (const one of order) figures[one.name] = await run(one, place, options);
      rounds.push(figures);
      process.stdout.write(`  round ${round + 1} of ${options.rounds}\r`);
    }
    print(contestants, rounds, options);
  } finally {
    await stopAll();
  }
}

async function start(place) {
  const limited = await startSouk(place);
  const without = await startSouk({
    ...place,
    nodeArgs: ["--import", fileURLToPath(new URL("without-limits.mjs", import.meta.url))],
  });
  const tight = await startSouk({
    ...place,
    env: { LIMIT_COST: "200", LIMIT_ADDRESS_BURST: "200", LIMIT_ADDRESS_PER_SECOND: "1" },
  });
  const input = {
    email: "limit@bench.example",
    password: "correct horse battery staple",
    name: "Ben",
    deliver: "TOKEN",
  };
  const { signUp } = await ask(limited.url, { query: SIGN_UP, variables: { input } });
  return [
    { name: "without look-up and limit", server: without, status: 200, headers: {} },
    { name: "nobody, limited", server: limited, status: 200, headers: {} },
    {
      name: "signed in, limited",
      server: limited,
      status: 200,
      headers: { authorization: `Bearer ${signUp.token}` },
    },
    { name: "refused from memory", server: tight, status: 429, headers: {} },
  ];
}

/** One round: CPU µs a request, and what Redis did for it. */
async function run({ server, status, headers }, { redis }, { connections, seconds }) {
  await redis.config("RESETSTAT");
  const cpu = cpuMicros(server.pid);
  const requests = await load(server.url, { status, headers, connections, seconds });
  const cpuUsed = cpuMicros(server.pid) - cpu;
  const stats = await redis.info("commandstats");
  const [, calls = 0, usec = 0] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(stats) ?? [];
  return {
    cpu: cpuUsed / requests,
    scripts: Number(calls) / requests,
    redis: Number(usec) / requests,
  };
}

/**
 * A closed load whose answers have to have one status; a bucket that was filled meanwhile may
 * answer one more.
 */
async function load(url, { status, headers, connections, seconds }) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const endsAt = performance.now() + 1_000 * seconds;
  const body = JSON.stringify(READ);
  let [requests, others] = [0, 0];
  const one = async () => {
    while (performance.now() < endsAt) {
      requests += 1;
      const answer = await pool.request({
        path: pathname,
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      });
      const text = await answer.body.text();
      if (answer.statusCode === status) continue;
      if (status === 200) throw new Error(`HTTP ${answer.statusCode}: ${text.slice(0, 500)}`);
      others += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  await pool.close();
  if (others > requests / 100 + 10)
    throw new Error(`${others} of ${requests} had another status than ${status}`);
  return requests;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function print(contestants, rounds, { seconds, connections }) {
  console.log(
    `\n### 20 products with their brands and views\n\n${rounds.length} interleaved rounds of ` +
      `${seconds} s, ${connections} requests at once, Node ${process.version}\n`,
  );
  console.log(
    "| request | CPU µs, calmest | median | scripts in Redis | µs in Redis, median " +
      "|\n|---|---:|---:|---:|---:|",
  );
  for (const { name } of contestants) {
    const column = (what) => rounds.map((round) => round[name][what]);
    const figures = [
      Math.min(...column("cpu")).toFixed(0),
      median(column("cpu")).toFixed(0),
      median(column("scripts")).toFixed(2),
      median(column("redis")).toFixed(1),
    ];
    console.log(`| ${name} | ${figures.join(" | ")} |`);
  }
  const base = "without look-up and limit";
  for (const name of ["nobody, limited", "signed in, limited"]) {
    const added = rounds.map((round) => round[name].cpu - round[base].cpu);
    console.log(
      `\n${name}: ${median(added).toFixed(0)} µs of CPU more in the median of the rounds ` +
        "(aim: ≤ 60).",
    );
  }
  const ratio = median(
    rounds.map((round) => round["refused from memory"].cpu / round["nobody, limited"].cpu),
  );
  console.log(
    `\nA refusal from memory costs ${ratio.toFixed(2)} × a request that is served (aim: ≤ 0.25).`,
  );
}
