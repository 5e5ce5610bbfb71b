/**
 * What grows, and what it costs: an answer that is stored on top of its execution, ten times the
 * shop with ten times the stored answers, and two processes instead of one, each with the same load.
 * CPU of the server processes per request of a page.
 */
import { open, startSouk } from "./contestants.mjs";
import { ask, loadRequests } from "./load.mjs";
import { cpuMicros, stopAll } from "./processes.mjs";
import { markdown, median } from "./read/table.mjs";

const PATIENT = { LOAD_WAIT_MS: "30000", LOAD_LAG_MS: "30000" };
const TIMES = 10;
/** Pages of each category in the shop of usual size. */
const USUAL = { sizes: [20] };
/** Ten times the answers, of about the same size. */
const LARGE = { sizes: Array.from({ length: TIMES }, (_, at) => 16 + at) };
const KEYS_OF_STORING = { sizes: Array.from({ length: 40 }, (_, at) => 10 + at) };

const page = (name) =>
  `query ${name}($id: ID!, $first: Int!) { category(id: $id) { id name products(first: $first) { ` +
  "edges { node { id name price { amount currency } rating { average count } category { id name " +
  "} } } } } }";

/** Runs the three comparisons and prints a line for each. */
export async function benchGrowth(options) {
  try {
    const usual = await open(options);
    const rows = [await benchStoring(usual, options)];
    const one = await startSouk({ ...usual, env: PATIENT });
    const two = [one, await startSouk({ ...usual, env: PATIENT })];
    const large = await open({ ...options, times: TIMES });
    const far = await startSouk({ ...large, env: PATIENT });
    const requests = await pagesOf(one, USUAL);
    const more = await pagesOf(far, LARGE);
    rows.push(
      await compare("ten times the products and stored answers", options, {
        usual: { servers: [one], requests },
        grown: { servers: [far], requests: more },
      }),
      await compare("two processes instead of one", options, {
        usual: { servers: [one], requests },
        grown: { servers: two, requests },
      }),
    );
    const heads = ["what grows", "CPU µs/request before", "after", "ratio of medians"];
    console.log(`\n${markdown(heads, rows)}`);
  } finally {
    await stopAll();
  }
}

/** A request for each page of each category. */
async function pagesOf(souk, { sizes }, name = "Page") {
  const { categories } = await ask(souk.url, { query: "{ categories { id } }" });
  const query = page(name);
  return categories.flatMap(({ id }) =>
    sizes.map((first) => ({
      method: "POST",
      body: JSON.stringify({ query, operationName: name, variables: { id, first } }),
    })),
  );
}

/**
 * Each answer is asked for twice, which stores it, and by another name in each round. A process
 * without a store executes the same.
 */
async function benchStoring(place, { rounds, ...options }) {
  const servers = {
    without: await startSouk({ ...place, env: { ...PATIENT, STORED_ANSWERS_BYTES: "0" } }),
    storing: await startSouk({ ...place, env: { ...PATIENT, STORED_ANSWERS_BYTES: "1000000000" } }),
  };
  const cpu = { without: [], storing: [] };
  // The first round fills caches.
  for (let round = 0; round <= rounds; round += 1)
    for (const [name, server] of inTurn(servers, round)) {
      const requests = await pagesOf(server, KEYS_OF_STORING, `Page${round}`);
      const twice = requests.flatMap((request) => [request, request]);
      const micros = await cpuOfAll(server, twice, options);
      if (round > 0) cpu[name].push(micros);
    }
  const [before, after] = [median(cpu.without), median(cpu.storing)];
  // One of two askings stores.
  return line("an answer stored, on top of its execution", before, before + 2 * (after - before));
}

/** In turn the other way round, so that no contestant always runs after the same one. */
const inTurn = (contestants, round) =>
  round % 2 === 0 ? Object.entries(contestants) : Object.entries(contestants).reverse();

/** Sends each request once. */
async function cpuOfAll(server, requests, { connections }) {
  const before = cpuMicros(server.pid);
  const left = [...requests].reverse();
  const client = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const answer = await fetch(server.url, {
        ...next,
        headers: { "content-type": "application/json" },
      });
      const text = await answer.text();
      if (!text.startsWith('{"data"')) throw new Error(text.slice(0, 500));
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  return (cpuMicros(server.pid) - before) / requests.length;
}

/** As often as an answer is stored, and then answered from the store. */
const WARM_UP_PASSES = 3;

async function compare(what, { rounds, seconds, connections }, contestants) {
  const cpu = { usual: [], grown: [] };
  for (const { servers, requests } of Object.values(contestants))
    for (const server of servers)
      for (let pass = 0; pass < WARM_UP_PASSES; pass += 1)
        await cpuOfAll(server, requests, { connections });
  for (let round = 0; round < rounds; round += 1)
    for (const [name, { servers, requests }] of inTurn(contestants, round)) {
      const before = servers.map(({ pid }) => cpuMicros(pid));
      const done = await Promise.all(
        servers.map(({ url }) => loadRequests(url, requests, { connections, seconds })),
      );
      const failure = done.find((one) => one.failure)?.failure;
      if (failure) throw new Error(failure);
      const micros = servers.reduce((sum, { pid }, at) => sum + cpuMicros(pid) - before[at], 0);
      const count = done.reduce((sum, one) => sum + one.requests, 0);
      cpu[name].push(micros / count);
    }
  return line(what, median(cpu.usual), median(cpu.grown));
}

const line = (what, before, after) => [
  what,
  before.toFixed(0),
  after.toFixed(0),
  (after / before).toFixed(2),
];
