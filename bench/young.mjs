/**
 * What the size of the young generation costs: pages and storefronts, executed each time, against
 * servers that differ in `--max-semi-space-size` alone. CPU per request in interleaved rounds, and
 * the memory of each server under that load. A small one is collected more often; more of a request
 * survives then. Nothing is answered from the store: stored answers leave hardly any garbage.
 */
import { open, startSouk } from "./contestants.mjs";
import { ask } from "./load.mjs";
import { memoryMiB, stopAll } from "./processes.mjs";
import { runRounds } from "./read/rounds.mjs";
import { ROWS } from "./read/rows.mjs";
import { median } from "./read/table.mjs";

const EXECUTED = { STORED_ANSWERS_BYTES: "0" };
const MEASURED = ["storefront", "page"];

/** MiB of a semi-space; null is what node chooses. */
const SIZES = [null, 4, 8, 32, 64];

/** Runs the comparison and prints it. */
export async function benchYoung(options) {
  try {
    const place = await open(options);
    const servers = [];
    for (const size of SIZES) servers.push(await startSized(place, size));
    const { categories } = await ask(servers[0].url, { query: "{ categories { id } }" });
    const shop = { categoryIds: categories.map(({ id }) => id) };
    for (const row of ROWS.filter(({ name }) => MEASURED.includes(name)))
      await benchOne(row, { servers, shop, place, options });
  } finally {
    await stopAll();
  }
}

async function startSized(place, size) {
  const flag = `--max-semi-space-size=${size}`;
  const server = await startSouk({
    ...place,
    env: EXECUTED,
    nodeArgs: size === null ? [] : [flag],
  });
  return { ...server, headers: {}, title: size === null ? "default" : `${size} MiB` };
}

async function benchOne({ title, requests }, { servers, shop, place, options }) {
  for (const server of servers) server.requests = requests(shop);
  await runRounds(servers, place, options);
  const cpuOf = ({ rounds }) => rounds.map(({ cpu }) => cpu);
  const [base] = servers.map(cpuOf);
  console.log(
    `\n### ${title}\n\n${options.rounds} interleaved rounds of ${options.seconds} s, ` +
      `${options.connections} requests at once, Node ${process.version}\n`,
  );
  console.log(
    "| semi-space | CPU µs/request, calmest | median | × default, median of rounds | RSS MiB after | peak |",
  );
  console.log("|---|---:|---:|---:|---:|---:|");
  for (const server of servers) {
    const cpu = cpuOf(server);
    const { now, peak } = memoryMiB(server.pid);
    const figures = [
      Math.min(...cpu).toFixed(0),
      median(cpu).toFixed(0),
      median(cpu.map((micros, round) => micros / base[round])).toFixed(2),
      now.toFixed(0),
      peak.toFixed(0),
    ];
    console.log(`| ${server.title} | ${figures.join(" | ")} |`);
  }
}
