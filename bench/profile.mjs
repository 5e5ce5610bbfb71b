/**
 * Where the CPU of a request goes: Souk alone under each row of the read bench, with V8's sampling
 * profiler on. A row is loaded twice; the second time counts.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { open, startSouk } from "./contestants.mjs";
import { loadRequests } from "./load.mjs";
import { stopAll, temporaryFolder } from "./processes.mjs";
import { choose, ROWS } from "./read/rows.mjs";
import { headersOf, prepareShop } from "./read/shop.mjs";

/** A function below this share is not named. */
const LEAST_SHARE = 0.02;
const SAMPLE_EVERY_MICROS = 250;

/** Prints, for each row and kind of caller, the functions with the most time. */
export async function profileRead({ rows: names, ...options }) {
  try {
    const place = await open(options);
    const folder = temporaryFolder("profile");
    const nodeArgs = [
      "--cpu-prof",
      `--cpu-prof-dir=${folder}`,
      `--cpu-prof-interval=${SAMPLE_EVERY_MICROS}`,
    ];
    const souk = await startSouk({ ...place, nodeArgs });
    const shop = await prepareShop(souk, place);
    const spans = [];
    for (const row of choose(ROWS, names).filter(({ isKept }) => !isKept))
      for (const as of row.as) spans.push(await span(row, { as, souk, shop, options }));
    // The profile is written when the process ends in good order.
    await souk.stop();
    const [file] = readdirSync(folder);
    if (!file) throw new Error("Souk wrote no profile");
    const profile = JSON.parse(readFileSync(join(folder, file), "utf8"));
    for (const one of spans) print(one, timesOf(profile, one));
  } finally {
    await stopAll();
  }
}

/** Loads a row; from when to when, on the clock of the profile. */
async function span(row, { as, souk, shop, options }) {
  const headers = headersOf(as, shop.token);
  const requests = row.requests(shop);
  await loadRequests(souk.url, requests, { ...options, headers });
  const from = micros();
  const { requests: count, failure } = await loadRequests(souk.url, requests, {
    ...options,
    headers,
  });
  if (failure) throw new Error(failure);
  const until = micros();
  await delay(100);
  return { title: `${row.name}, ${as}`, count, from, until };
}

/** V8 counts on the same monotonic clock. */
const micros = () => Number(process.hrtime.bigint() / 1_000n);

/** Time in µs by function, its own and with what it calls; waiting is not work. */
function timesOf({ nodes, samples, timeDeltas, startTime }, { from, until }) {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((at) => [at, id])));
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const own = new Map();
  const whole = new Map();
  let all = 0;
  let now = startTime;
  samples.forEach((id, index) => {
    const delta = timeDeltas[index];
    now += delta;
    if (now < from || now > until || IDLE.has(names.get(id))) return;
    all += delta;
    add(own, names.get(id), delta);
    const callers = new Set();
    for (let at = id; at !== undefined; at = parents.get(at)) callers.add(names.get(at));
    for (const name of callers) add(whole, name, delta);
  });
  return { all, own, whole };
}

const IDLE = new Set(["(idle)", "(program)", "(root)"]);

const add = (times, name, micros) => times.set(name, (times.get(name) ?? 0) + micros);

function nameOf({ functionName, url, lineNumber }) {
  if (!url) return functionName || "(anonymous)";
  const [, dependency] = /^.*\/node_modules\/(.*)$/.exec(url) ?? [];
  const file = dependency ?? url.replace(/^file:\/\/.*\/dist\//, "souk/");
  return `${functionName || "(anonymous)"}  ${file}:${lineNumber + 1}`;
}

function print({ title, count }, { all, own, whole }) {
  console.log(
    `\n### ${title}\n\n${count} requests, ${(all / count).toFixed(0)} µs each with the profiler ` +
      "on.\n\n  own  with what it calls",
  );
  const named = [...own].filter(([, time]) => time >= LEAST_SHARE * all);
  for (const [name, time] of named.sort((a, b) => b[1] - a[1]))
    console.log(`${share(time, all)} ${share(whole.get(name), all)}  ${name}`);
}

const share = (time, all) => `${((100 * time) / all).toFixed(1).padStart(5)} %`;
