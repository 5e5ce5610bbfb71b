/**
 * What an idle process holds: an API on PostgreSQL and Redis in production mode, and the first and
 * the second start of the embedded default. Resident memory some seconds after the start, and the
 * most until then. Node is started with the flags of `npm start`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../scripts/free-port.mjs";
import { open, startSouk } from "./contestants.mjs";
import { memoryMiB, start, stopAll, temporaryFolder } from "./processes.mjs";
import { median } from "./read/table.mjs";

/** What a start leaves behind has settled by then. */
const IDLE_SECONDS = 5;

/** Starts each process `rounds` times in turn, and prints what they held. */
export async function benchMemory({ dist, rounds }) {
  const nodeArgs = flagsOf(dist);
  try {
    const place = await open({ dist });
    const rows = { "idle API": [], "first start, embedded": [], "second start, embedded": [] };
    for (let round = 0; round < rounds; round += 1) {
      rows["idle API"].push(await held(await startSouk({ ...place, nodeArgs })));
      const dataDir = temporaryFolder("embedded");
      for (const which of ["first start, embedded", "second start, embedded"])
        rows[which].push(await held(await startEmbedded({ dist, nodeArgs, dataDir })));
    }
    print(rows, nodeArgs);
  } finally {
    await stopAll();
  }
}

/** The flags that the tree's own package starts node with. */
function flagsOf(dist) {
  const { scripts } = JSON.parse(readFileSync(join(dist, "..", "package.json"), "utf8"));
  return scripts.start.split(" ").filter((word) => word.startsWith("--"));
}

async function startEmbedded({ dist, nodeArgs, dataDir }) {
  const port = await freePort();
  const env = { PATH: process.env.PATH, PORT: `${port}`, LOG_LEVEL: "warn", DATA_DIR: dataDir };
  const server = start("npm start", process.execPath, [...nodeArgs, join(dist, "main.js")], {
    env,
  });
  await server.until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
  return server;
}

async function held(server) {
  await delay(IDLE_SECONDS * 1_000);
  const memory = memoryMiB(server.pid);
  await server.stop();
  return memory;
}

function print(rows, nodeArgs) {
  console.log(`\nNode ${process.version} ${nodeArgs.join(" ")}, idle for ${IDLE_SECONDS} s\n`);
  console.log("| process | RSS MiB, median | least | most | peak, most |");
  console.log("|---|---:|---:|---:|---:|");
  for (const [name, memories] of Object.entries(rows)) {
    const now = memories.map((memory) => memory.now);
    const peak = Math.max(...memories.map((memory) => memory.peak));
    const figures = [median(now), Math.min(...now), Math.max(...now), peak];
    console.log(`| ${name} | ${figures.map((figure) => figure.toFixed(0)).join(" | ")} |`);
  }
}
