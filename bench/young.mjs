/**
 * What the size of the young generation costs: the reads of read.mjs against servers that differ in
 * `--max-semi-space-size` alone. CPU per request in interleaved rounds, and the memory of each
 * server under that load. A small one is collected more often; more of a request survives then.
 */
import { startSouk } from "./contestants.mjs";
import { memoryMiB, stopAll } from "./processes.mjs";
import { categoryIds, medianOf, open, READS, runRounds } from "./read.mjs";

/** MiB of a semi-space; null is what node chooses. */
const SIZES = [null, 4, 8, 32, 64];

/** Runs the comparison and prints it. */
export async function benchYoung(options) {
  try {
    const place = await open(options);
    const servers = [];
    for (const size of SIZES) servers.push(await startSized(place, size));
    const ids = await categoryIds(servers[0].url);
    for (const { title, operations } of READS)
      await benchOne({ title, operations: operations(ids) }, servers, place, options);
  } finally {
    await stopAll();
  }
}

async function startSized(place, size) {
  const flag = `--max-semi-space-size=${size}`;
  const server = await startSouk({ ...place, nodeArgs: size === null ? [] : [flag] });
  return { ...server, name: size === null ? "default" : `${size} MiB` };
}

async function benchOne({ title, operations }, servers, place, options) {
  const bodies = operations.map((operation) => JSON.stringify(operation));
  const rounds = await runRounds(servers, place, { ...options, bodies });
  const cpuOf = ({ name }) => rounds.get(name).map(({ cpu }) => cpu);
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
      medianOf(cpu).toFixed(0),
      medianOf(cpu.map((micros, round) => micros / base[round])).toFixed(2),
      now.toFixed(0),
      peak.toFixed(0),
    ];
    console.log(`| ${server.name} | ${figures.join(" | ")} |`);
  }
}
