/**
 * What a server does that is asked for more than it can: views over thousands of connections, first
 * as fast as they are answered (what the machine holds), then twice and four times as many a
 * second. Of what is accepted the rate and the latency, of what is refused the latency, the highest
 * memory of the process, and whether every accepted view is counted exactly once. Clients share the
 * cores with the server, so beyond capacity a refusal waits for a core. The last row shows how long
 * the server takes to refuse: one place, and a load that leaves the cores idle most of the time.
 */
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ADMIN_TOKEN, open, startSouk } from "./contestants.mjs";
import { ask } from "./load.mjs";
import { stopAll } from "./processes.mjs";

const CLIENTS = 2;
const CONNECTIONS = 4_000;
const CLOSED_CONNECTIONS = 128;
/** Clients have so many addresses, because a lone address gets half of the places at most. */
const ADDRESSES = 64;
const PRODUCTS = 50;
/** Share of what the machine holds that leaves the cores idle most of the time. */
const LIGHT = 0.4;
/** Some of a light load find it taken. */
const ONE_PLACE = { LOAD_ADDRESS: "1", LOAD_VIEWER: "1" };

/** Runs the scenario and prints it. */
export async function benchOverload(options) {
  try {
    const place = await open(options);
    const env = { LOG_LEVEL: "error" };
    const souk = await startSouk({ ...place, env });
    const ids = await productIds(souk.url);
    await round(souk, { ids, seconds: 3, connections: CLOSED_CONNECTIONS });
    const rows = [];
    const held = await round(souk, {
      ids,
      seconds: options.seconds,
      connections: CLOSED_CONNECTIONS,
    });
    rows.push({ name: "as fast as answered", ...held });
    for (const times of [2, 4]) {
      const perSecond = times * held.perSecond;
      rows.push({
        name: `${times} × that`,
        ...(await round(souk, {
          ids,
          seconds: options.seconds,
          connections: CONNECTIONS,
          perSecond,
        })),
      });
    }
    const small = await startSouk({ ...place, env: { ...env, ...ONE_PLACE } });
    const light = { ids, seconds: options.seconds, perSecond: LIGHT * held.perSecond };
    const full = await round(small, { ...light, connections: CLOSED_CONNECTIONS });
    rows.push({ name: `${LIGHT} × that, ${ONE_PLACE.LOAD_ADDRESS} place`, ...full });
    print(rows, held);
  } finally {
    await stopAll();
  }
}

async function productIds(url) {
  const { products } = await ask(url, {
    query: `{ products(first: ${PRODUCTS}) { edges { node { id } } } }`,
  });
  return products.edges.map(({ node }) => node.id);
}

/** Views of all time of the products, by the counters themselves. */
async function viewsOf(url, ids) {
  const query =
    "query Views($ids: [ID!]!) { nodes(ids: $ids) { ... on Product { stats { views } } } }";
  const { nodes } = await ask(
    url,
    { query, variables: { ids } },
    { authorization: `Bearer ${ADMIN_TOKEN}` },
  );
  return nodes.reduce((sum, { stats }) => sum + stats.views, 0);
}

async function round({ url, pid }, { ids, seconds, connections, perSecond }) {
  const port = Number(new URL(url).port);
  const before = await viewsOf(url, ids);
  /** In the first and in the second half of the round. */
  const highest = [0, 0];
  const beganAt = performance.now();
  const watching = setInterval(() => {
    const half = performance.now() - beganAt < seconds * 500 ? 0 : 1;
    highest[half] = Math.max(highest[half], rssMiB(pid));
  }, 100);
  const share = {
    port,
    ids,
    seconds,
    connections: Math.ceil(connections / CLIENTS),
    addresses: ADDRESSES,
    perSecond: perSecond && perSecond / CLIENTS,
  };
  const figures = await Promise.all(Array.from({ length: CLIENTS }, () => runClient(share)));
  clearInterval(watching);
  const sum = (what) => figures.reduce((total, one) => total + (one[what] ?? 0), 0);
  const counted = (await viewsOf(url, ids)) - before;
  // Answers that come after the last request count in the rate: they took the server's time.
  const elapsedSeconds = Math.max(...figures.map(({ elapsedMs }) => elapsedMs)) / 1_000;
  return {
    asked: sum("sent") / seconds,
    perSecond: sum("accepted") / elapsedSeconds,
    accepted: sum("accepted"),
    refused: sum("refused"),
    unknown: sum("unknown"),
    other: sum("other"),
    late: sum("late"),
    hung: sum("hung"),
    counted,
    statuses: JSON.stringify(figures.map(({ statuses }) => statuses)),
    latencies: figures.flatMap(({ latencies }) => latencies),
    refusalLatencies: figures.flatMap(({ refusalLatencies }) => refusalLatencies),
    highest,
  };
}

function runClient(share) {
  const child = fork(fileURLToPath(new URL("overload-clients.mjs", import.meta.url)));
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`a client ended with code ${code}`)));
    child.send(share);
  });
}

const rssMiB = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function print(rows, held) {
  console.log(`\n### Views over ${CONNECTIONS} connections, Node ${process.version}\n`);
  console.log(
    "| load | asked/s | accepted/s | × the highest held | p50, p99 of accepted (ms) | p50, " +
      "p99 of refusals (ms) | RSS MiB by half | counted exactly |",
  );
  console.log("|---|---:|---:|---:|---:|---:|---:|---|");
  for (const row of rows) {
    const times = (values) =>
      `${percentile(values, 0.5).toFixed(1)}, ${percentile(values, 0.99).toFixed(1)}`;
    const exact =
      row.counted >= row.accepted && row.counted <= row.accepted + row.unknown
        ? "yes"
        : `NO: ${row.counted} of ${row.accepted}`;
    const cells = [
      row.name,
      row.asked.toFixed(0),
      row.perSecond.toFixed(0),
      (row.perSecond / held.perSecond).toFixed(2),
      times(row.latencies),
      times(row.refusalLatencies),
      row.highest.map((mib) => mib.toFixed(0)).join(", "),
      exact,
    ];
    console.log(`| ${cells.join(" | ")} |`);
    if (row.other + row.hung + row.unknown > 0)
      console.log(
        `<!-- unknown ${row.unknown}, other ${row.other}, without an answer ${row.hung}, ` +
          `statuses ${row.statuses} -->`,
      );
  }
  console.log(
    "\nAims, beyond capacity: p99 of accepted ≤ 2,000 ms, accepted ≥ 0.8 × the highest held, memory flat, " +
      "every accepted view counted once.",
  );
}
