/**
 * Where the CPU of a read goes: Souk alone under page and storefront of the read bench, in turn, with V8's
 * sampling profiler on.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { open, startSouk } from "./contestants.mjs";
import { ask, load } from "./load.mjs";
import { stopAll, temporaryFolder } from "./processes.mjs";
import { ROWS } from "./read/rows.mjs";

const PROFILED = ["storefront", "page"];

const TOP = 10;

/** Prints the ten functions with the most self time. */
export async function profileRead(options) {
  try {
    const place = await open(options);
    const folder = temporaryFolder("profile");
    const souk = await startSouk({
      ...place,
      nodeArgs: ["--cpu-prof", `--cpu-prof-dir=${folder}`],
    });
    const { categories } = await ask(souk.url, { query: "{ categories { id } }" });
    const shop = { categoryIds: categories.map(({ id }) => id) };
    const bodies = ROWS.filter(({ name }) => PROFILED.includes(name))
      .flatMap(({ requests }) => requests(shop))
      .map(({ body }) => body);
    const { requests } = await load(souk.url, bodies, options);
    // The profile is written when the process ends in good order.
    await souk.stop();
    const [file] = readdirSync(folder);
    if (!file) throw new Error("Souk wrote no profile");
    print(selfTimes(JSON.parse(readFileSync(join(folder, file), "utf8"))), requests);
  } finally {
    await stopAll();
  }
}

/** Self time in µs by function; waiting is not work. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map();
  samples.forEach((id, index) => {
    const name = names.get(id);
    if (name !== "(idle)" && name !== "(program)" && name !== "(root)")
      times.set(name, (times.get(name) ?? 0) + timeDeltas[index]);
  });
  return times;
}

function nameOf({ functionName, url, lineNumber }) {
  if (!url) return functionName || "(anonymous)";
  const [, dependency] = /^.*\/node_modules\/(.*)$/.exec(url) ?? [];
  const file = dependency ?? url.replace(/^file:\/\/.*\/dist\//, "souk/");
  return `${functionName || "(anonymous)"}  ${file}:${lineNumber + 1}`;
}

function print(times, requests) {
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  console.log(
    `\nSelf time of Souk over ${requests} requests, start included; ` +
      `${(all / requests).toFixed(0)} µs a request with the profiler on.\n`,
  );
  for (const [name, time] of [...times].sort((a, b) => b[1] - a[1]).slice(0, TOP)) {
    console.log(`  ${((100 * time) / all).toFixed(1).padStart(5)} %  ${name}`);
  }
}
