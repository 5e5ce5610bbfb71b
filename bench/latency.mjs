/**
 * How latency grows with the load: Souk, and bare Fastify with the same bytes, at shares of what
 * each holds. Requests are sent at their times, however late earlier ones are, and measured from
 * these times. Prints a table and writes a picture.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";
import { open, PEERS, startPeer, startSouk } from "./contestants.mjs";
import { drawLatencies } from "./latency-picture.mjs";
import { loadRequests } from "./load.mjs";
import { stopAll } from "./processes.mjs";
import { ROWS } from "./read/rows.mjs";
import { prepareShop, storeAnswers } from "./read/shop.mjs";

const ROW = "page";
const BOUND = "bare-fastify";
const SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/** More would only measure the clients. */
const CONNECTIONS = 64;
const TICK_MS = 2;
const PATIENT = { LOAD_WAIT_MS: "30000", LOAD_LAG_MS: "30000" };

/** Measures, prints the table and writes the picture to `svg`. */
export async function benchLatency({ seconds, svg, ...options }) {
  try {
    const place = await open(options);
    const souk = await startSouk({ ...place, env: PATIENT });
    const shop = await prepareShop(souk, place);
    await storeAnswers(souk, place, shop);
    const bound = await startPeer(
      PEERS.find(({ name }) => name === BOUND),
      place,
    );
    const requests = ROWS.find(({ name }) => name === ROW).requests(shop);
    const measured = [];
    for (const { title, url } of [{ ...souk, title: "Souk" }, bound])
      measured.push({ title, points: await measure(url, requests, seconds) });
    print(measured);
    writeFileSync(svg, drawLatencies(measured));
    console.log(`\nWrote ${svg}`);
  } finally {
    await stopAll();
  }
}

async function measure(url, requests, seconds) {
  const warmUp = { connections: CONNECTIONS, seconds };
  await loadRequests(url, requests, warmUp);
  const held = await loadRequests(url, requests, warmUp);
  const most = held.requests / held.seconds;
  const points = [];
  for (const share of SHARES) {
    const latencies = await paced(url, requests, { rate: share * most, seconds });
    points.push({ share, rate: Math.round(share * most), ...quantiles(latencies) });
  }
  return points;
}

/** Sends at a rate; resolves to ms from the time that each was due. */
async function paced(url, requests, { rate, seconds }) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 });
  const latencies = [];
  const underWay = new Set();
  const began = performance.now();
  const total = Math.floor(rate * seconds);
  const send = async (at, dueMs) => {
    const { method, body } = requests[at % requests.length];
    const headers = { "content-type": "application/json" };
    const answer = await pool.request({ path: pathname, method, headers, body });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
    latencies.push(performance.now() - dueMs);
  };
  for (let sent = 0; sent < total; ) {
    const dueMs = began + (1_000 * sent) / rate;
    if (dueMs > performance.now()) {
      await delay(TICK_MS);
      continue;
    }
    const one = send(sent, dueMs).finally(() => underWay.delete(one));
    underWay.add(one);
    sent += 1;
  }
  await Promise.all(underWay);
  await pool.close();
  return latencies;
}

function quantiles(latencies) {
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50: at(0.5), p99: at(0.99) };
}

function print(measured) {
  console.log("\n| server | share of what it holds | requests/s | p50, ms | p99, ms |");
  console.log("|---|---:|---:|---:|---:|");
  for (const { title, points } of measured)
    for (const { share, rate, p50, p99 } of points)
      console.log(
        `| ${title} | ${Math.round(100 * share)} % | ${rate} | ${p50.toFixed(1)} | ${p99.toFixed(1)} |`,
      );
}
