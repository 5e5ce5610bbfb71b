#!/usr/bin/env node
/**
 * `npm run bench [-- options]`: installs what the benches need, runs them, ends every process it
 * started.
 *
 *   --bench NAME      which question: read (default), latency, staleness, growth, cart, session,
 *                     limit, price, leaderboard, overload, fanout, subscribers, memory or young
 *   --row NAME,NAME   read: the rows to measure (default all; see read/rows.mjs, and delay)
 *   --peer NAME,NAME  read: the peers to measure beside Souk (default all; see contestants.mjs)
 *   --rounds N        rounds per server or question, interleaved (default 7; of read 5)
 *   --seconds N       length of a round (default 4; of read 2)
 *   --connections N   requests under way at once (default 8)
 *   --writes N        writes of the delay measurement (default 300)
 *   --sockets N,N     subscribers of the fan-out (default 100,1000,5000)
 *   --dist DIR        the built tree to measure (default ../dist)
 *   --svg FILE        the picture of latency (default ../docs/latency.svg)
 *   --large           leaderboard: 5,000,000 members too
 *   --profile         profile Souk alone under the rows of read, and print every function that takes
 *                     2 % of a request or more
 */
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** Does nothing when the packages are as new as the lockfile. */
function install() {
  const installed = join(HERE, "node_modules", ".package-lock.json");
  if (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(HERE, "package-lock.json")).mtimeMs
  )
    return;
  console.log("Installing the peers (npm ci in bench/) …");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: HERE,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}

const number = (text, name) => {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`--${name} must be a positive number, not ${text}.`);
  return process.exit(1);
};

const { values } = parseArgs({
  options: {
    bench: { type: "string", default: "read" },
    row: { type: "string", multiple: true },
    peer: { type: "string", multiple: true },
    rounds: { type: "string" },
    seconds: { type: "string" },
    connections: { type: "string", default: "8" },
    writes: { type: "string", default: "300" },
    dist: { type: "string", default: join(HERE, "..", "dist") },
    large: { type: "boolean", default: false },
    svg: { type: "string", default: join(HERE, "..", "docs", "latency.svg") },
    sockets: { type: "string", default: "100,1000,5000" },
    profile: { type: "boolean", default: false },
  },
});
/** Read has many rows, each with nine servers. */
const [rounds, seconds] = values.bench === "read" && !values.profile ? ["5", "2"] : ["7", "4"];
const names = (given) => given?.flatMap((text) => text.split(","));
const options = {
  rows: names(values.row),
  peers: names(values.peer),
  rounds: number(values.rounds ?? rounds, "rounds"),
  seconds: number(values.seconds ?? seconds, "seconds"),
  connections: number(values.connections, "connections"),
  writes: number(values.writes, "writes"),
  sizes: values.sockets.split(",").map((count) => number(count, "sockets")),
  dist: resolve(values.dist),
  large: values.large,
  svg: resolve(values.svg),
};
if (!existsSync(join(options.dist, "main.js"))) {
  console.error(`There is no built tree in ${options.dist}: run \`npm run build\` first.`);
  process.exit(1);
}
/** Loaded when they are asked for: the packages may not be there before. */
const BENCHES = {
  read: async () => (await import("./read/read.mjs")).benchRead,
  cart: async () => (await import("./cart.mjs")).benchCart,
  fanout: async () => (await import("./fanout.mjs")).benchFanOut,
  subscribers: async () => (await import("./subscribers.mjs")).benchSubscribers,
  staleness: async () => (await import("./staleness.mjs")).benchStaleness,
  growth: async () => (await import("./growth.mjs")).benchGrowth,
  latency: async () => (await import("./latency.mjs")).benchLatency,
  price: async () => (await import("./price.mjs")).benchPrice,
  limit: async () => (await import("./limit.mjs")).benchLimit,
  overload: async () => (await import("./overload.mjs")).benchOverload,
  session: async () => (await import("./session.mjs")).benchSession,
  leaderboard: async () => (await import("./leaderboard.mjs")).benchLeaderboard,
  young: async () => (await import("./young.mjs")).benchYoung,
  memory: async () => (await import("./memory.mjs")).benchMemory,
  profile: async () => (await import("./profile.mjs")).profileRead,
};
const chosen = BENCHES[values.profile ? "profile" : values.bench];
if (!chosen) {
  console.error(
    `There is no bench of that name: ${values.bench}. Choose one of ` +
      `${Object.keys(BENCHES).join(", ")}.`,
  );
  process.exit(1);
}
install();
await (await chosen())(options);
