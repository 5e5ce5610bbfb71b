/**
 * What a message to a subscriber costs: a leaderboard of ten entries that changes 20 times a
 * second, watched by 100, 1,000 and 5,000 sockets. Souk as in production, every socket signed in,
 * limits and metrics on; beside it a server written the usual way, and bare `ws` as the bound.
 * Clients and the writer are processes of their own. Then: memory of an idle subscriber, what a
 * crowd that comes back costs, and how much a stalled socket does.
 */
import { fork } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../scripts/free-port.mjs";
import { ADMIN_TOKEN, seed, startSouk } from "./contestants.mjs";
import { ask } from "./load.mjs";
import {
  cpuMicros,
  start,
  startPostgres,
  startRedis,
  stopAll,
  temporaryFolder,
  waitUntil,
} from "./processes.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const CHANGES_PER_SECOND = 20;
const SIZES = [100, 1_000, 5_000];
const SLUG = "bench";
const ENTRIES = 10;
export const WATCH =
  "subscription Board($slug: String!) { leaderboardChanged(slug: $slug) { version total " +
  "entries { rank score owner label } } }";
export const MAKE =
  "mutation Make($input: LeaderboardInput!) { createLeaderboard(input: $input) { errors { " +
  "code message } } }";
const SUBMIT =
  "mutation Submit($input: ScoreInput!) { submitScore(input: $input) { errors { code message } } }";
const CLIENT_PROCESSES = 2;

const now = () => performance.timeOrigin + performance.now();

/** Runs everything and prints it. */
export async function benchFanOut({ dist, seconds, rounds, sizes = SIZES }) {
  try {
    const place = await preparePlace(dist);
    const contestants = [
      { name: "Souk, conflated (default)", start: () => startSouks(place, {}), kind: "souk" },
      {
        name: "Souk, conflation off",
        start: () => startSouks(place, { CONFLATION_MS: "0" }),
        kind: "souk",
      },
      {
        name: "Apollo + graphql-ws + graphql-redis-subscriptions",
        start: () => startPeer(place, "fanout-usual.mjs"),
        kind: "usual",
      },
      { name: "bare ws", start: () => startPeer(place, "fanout-bare.mjs"), kind: "bare" },
    ];
    for (const sockets of sizes) {
      const results = new Map(contestants.map(({ name }) => [name, []]));
      for (let round = 0; round < rounds; round += 1) {
        for (const contestant of round % 2 === 0 ? contestants : [...contestants].reverse()) {
          results
            .get(contestant.name)
            .push(await runRound(place, contestant, { sockets, seconds }));
          process.stderr.write(
            `  ${sockets} sockets, round ${round + 1} of ${rounds}: ${contestant.name}\n`,
          );
        }
      }
      print(sockets, results, { rounds, seconds });
    }
    await comeBack(place, Math.max(...sizes));
  } finally {
    await stopAll();
  }
}

/** Databases, a board, and its subscribers' sessions. */
export async function preparePlace(dist) {
  const [{ url: databaseUrl }, { url: redisUrl, redis }] = await Promise.all([
    startPostgres(),
    startRedis(),
  ]);
  await seed(dist, databaseUrl);
  // It tells of every change, so that the servers measured decide what they make of it.
  const writer = await startSouk({
    dist,
    databaseUrl,
    redisUrl,
    env: { SESSION_MAX: "100", CONFLATION_MS: "0" },
  });
  const place = { dist, databaseUrl, redisUrl, redis, writer, score: 0 };
  await write(
    place,
    MAKE,
    { slug: SLUG, title: "Bench", periods: ["ALL_TIME"] },
    "createLeaderboard",
  );
  for (let entry = 0; entry < ENTRIES; entry += 1) await submit(place);
  const tokens = await signInOften(writer.url, 20);
  return { ...place, init: tokens.map((token) => ({ authorization: `Bearer ${token}` })) };
}

export async function write({ writer }, query, input, field) {
  const data = await ask(
    writer.url,
    { query, variables: { input } },
    { authorization: `Bearer ${ADMIN_TOKEN}` },
  );
  if (data[field].errors.length > 0) throw new Error(JSON.stringify(data[field].errors));
}

const ownerOf = (score) => `player-${score % ENTRIES}`;

/**
 * A higher score than any before: its owner goes to the top, so the first score of a message tells
 * how new it is.
 */
export async function submit(place, slug = SLUG) {
  place.score += 1;
  const { score } = place;
  await write(place, SUBMIT, { slug, score, owner: ownerOf(score) }, "submitScore");
}

/** The board as the peers publish it, whole. */
function boardAt(score) {
  const entry = (rank) => ({
    rank,
    score: score - rank + 1,
    owner: ownerOf(score - rank + 1),
    label: ownerOf(score - rank + 1),
  });
  return {
    version: `${score}`,
    total: ENTRIES,
    entries: Array.from({ length: ENTRIES }, (_, at) => entry(at + 1)),
  };
}

async function signInOften(url, times) {
  const account = { email: "bench@souk.example", password: "bench password of no value" };
  const up = "mutation Up($input: SignUpInput!) { signUp(input: $input) { errors { code } } }";
  await ask(url, { query: up, variables: { input: { ...account, name: "Bench" } } });
  const query =
    "mutation In($input: SignInInput!) { signIn(input: $input) { token errors { code } } }";
  const tokens = [];
  for (let time = 0; time < times; time += 1) {
    const { signIn } = await ask(url, {
      query,
      variables: { input: { ...account, deliver: "TOKEN" } },
    });
    tokens.push(signIn.token);
  }
  return tokens;
}

/** Node's options and environment that let the memory of a server be asked for. */
function measurable() {
  const memoryFile = join(temporaryFolder("memory"), "memory.json");
  return {
    memoryFile,
    nodeArgs: ["--expose-gc", "--import", here("collect.mjs")],
    env: { MEMORY_FILE: memoryFile },
  };
}

export async function startSouks({ dist, databaseUrl, redisUrl }, env) {
  const { nodeArgs, memoryFile, env: memory } = measurable();
  const server = await startSouk({
    dist,
    databaseUrl,
    redisUrl,
    nodeArgs,
    env: { ...env, ...memory, SESSION_MAX: "100" },
  });
  return { ...server, memoryFile };
}

async function startPeer({ redisUrl }, file) {
  const port = await freePort();
  const { nodeArgs, memoryFile, env: memory } = measurable();
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: "production",
    REDIS_URL: redisUrl,
    PORT: `${port}`,
    ...memory,
  };
  const server = start(file, process.execPath, [...nodeArgs, here(file)], { env });
  await server.until(async () => (await fetch(`http://127.0.0.1:${port}/`)).ok);
  return { url: `http://127.0.0.1:${port}/graphql`, memoryFile, ...server };
}

/** Bytes on the heap and beside it after a collection, and all that the process holds. */
export async function memoryOf({ child, memoryFile }) {
  rmSync(memoryFile, { force: true });
  child.kill("SIGWINCH");
  await waitUntil("the memory", () => existsSync(memoryFile));
  const { heapUsed, external, rss } = JSON.parse(readFileSync(memoryFile, "utf8"));
  return { heap: heapUsed, used: heapUsed + external, rss };
}

/** Client processes, told the same and heard one by one. */
export function startCrowd() {
  const children = Array.from({ length: CLIENT_PROCESSES }, () =>
    fork(here("fanout-clients.mjs"), { stdio: "inherit" }),
  );
  const tell = (child, message) =>
    new Promise((resolve, reject) => {
      child.once("message", ({ ok, error }) => (error ? reject(new Error(error)) : resolve(ok)));
      child.send(message);
    });
  return {
    all: (messageOf) => Promise.all(children.map((child, at) => tell(child, messageOf(at)))),
    stop: () => children.forEach((child) => void child.kill("SIGKILL")),
  };
}

export const share = (total, at) =>
  Math.floor(total / CLIENT_PROCESSES) + (at < total % CLIENT_PROCESSES ? 1 : 0);

export function connection(kind, { url }, place) {
  const ws = url.replace("http", "ws");
  if (kind === "bare") return { url: ws, firstValue: false };
  const subscribe = { query: WATCH, variables: { slug: SLUG } };
  return {
    url: ws,
    protocol: "graphql-transport-ws",
    subscribe,
    init: kind === "souk" ? place.init : undefined,
    firstValue: kind === "souk",
  };
}

async function runRound(place, { kind, start: startServer }, { sockets, seconds }) {
  const server = await startServer();
  const crowd = startCrowd();
  try {
    // Code that runs for the first time takes memory that is nobody's.
    await crowd.all((at) => ({
      act: "connect",
      count: share(50, at),
      ...connection(kind, server, place),
    }));
    await crowd.all(() => ({ act: "leave" }));
    await delay(500);
    const before = await memoryOf(server);
    const cpuBefore = cpuMicros(server.pid);
    await crowd.all((at) => ({
      act: "connect",
      count: share(sockets, at),
      ...connection(kind, server, place),
    }));
    await delay(500);
    const connectMicros = (cpuMicros(server.pid) - cpuBefore) / sockets;
    const after = await memoryOf(server);
    const writes = startWrites(kind, place);
    await delay(1_000);
    await crowd.all(() => ({ act: "begin" }));
    const cpu = cpuMicros(server.pid);
    const began = performance.now();
    await delay(1_000 * seconds);
    const spent = cpuMicros(server.pid) - cpu;
    const elapsed = (performance.now() - began) / 1_000;
    const counted = await crowd.all(() => ({ act: "end", sentAt: writes.sentAt }));
    const last = await writes.stop();
    const settled = await settle(crowd, last);
    const messages = sum(counted, "messages");
    return {
      cpu: spent / messages,
      rate: messages / elapsed,
      bytes: sum(counted, "bytes") / messages,
      latencies: counted.flatMap(({ latencies }) => latencies).sort((a, b) => a - b),
      wentBack: sum(settled.results, "wentBack"),
      complete: settled.complete,
      closed: sum(settled.results, "closed"),
      kib: (after.used - before.used) / sockets / 1_024,
      rssKib: (after.rss - before.rss) / sockets / 1_024,
      connectMicros,
    };
  } finally {
    crowd.stop();
    await server.stop();
  }
}

const sum = (results, what) => results.reduce((total, result) => total + result[what], 0);

/**
 * Waits until every socket has the last version; a peer that is far behind is not waited for to the
 * end.
 */
async function settle(crowd, last) {
  for (let tries = 0; ; tries += 1) {
    const results = await crowd.all(() => ({ act: "end", sentAt: {} }));
    const complete = results.every(({ lowest }) => lowest === last);
    if (complete || tries === 20) return { results, complete };
    await delay(500);
  }
}

/**
 * Changes the board 20 times a second, whatever the answers take, and notes when which was sent.
 */
export function startWrites(kind, place) {
  const sentAt = {};
  let running = true;
  const send = async () => {
    sentAt[place.score + 1] = now();
    if (kind === "souk") return submit(place);
    place.score += 1;
    const data = { leaderboardChanged: boardAt(place.score) };
    if (kind === "usual")
      return place.redis.publish(`leaderboardChanged:${SLUG}`, JSON.stringify(data));
    return place.redis.publish(
      "bare",
      JSON.stringify({
        id: "subscription-of-socket-1234-0123456789",
        type: "next",
        payload: { data },
      }),
    );
  };
  const sending = new Set();
  const loop = (async () => {
    while (running) {
      // An answer that takes long does not make the changes fewer.
      const sent = send().finally(() => sending.delete(sent));
      sending.add(sent);
      await delay(1_000 / CHANGES_PER_SECOND);
      if (sending.size >= CHANGES_PER_SECOND) await Promise.race(sending);
    }
    await Promise.all(sending);
  })();
  return {
    sentAt,
    async stop() {
      running = false;
      await loop;
      return place.score;
    },
  };
}

const quantile = (values, portion) =>
  values[Math.min(values.length - 1, Math.floor(portion * values.length))] ?? Number.NaN;
const median = (values) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

function print(sockets, results, { rounds, seconds }) {
  console.log(
    `\n### ${sockets} sockets, ${CHANGES_PER_SECOND} changes a second, ${rounds} interleaved ` +
      `rounds of ${seconds} s, Node ${process.version}\n`,
  );
  console.log(
    "| server | CPU µs/message, calmest | median | messages/s, median | p50 ms | p99 ms | " +
      "KiB/idle subscriber (heap; RSS) | connect, CPU µs | all on the last | went back |",
  );
  console.log("|---|---:|---:|---:|---:|---:|---:|---:|---|---:|");
  for (const [name, rows] of results) {
    const column = (what) => rows.map((row) => row[what]);
    const cells = [
      Math.min(...column("cpu")).toFixed(1),
      median(column("cpu")).toFixed(1),
      median(column("rate")).toFixed(0),
      median(rows.map(({ latencies }) => quantile(latencies, 0.5))).toFixed(0),
      median(rows.map(({ latencies }) => quantile(latencies, 0.99))).toFixed(0),
      `${median(column("kib")).toFixed(1)}; ${median(column("rssKib")).toFixed(1)}`,
      median(column("connectMicros")).toFixed(0),
      rows.every(({ complete, closed }) => complete && closed === 0)
        ? "yes"
        : `no (${sum(rows, "closed")} closed)`,
      sum(rows, "wentBack"),
    ];
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
  const [souk, unconflated, usual] = [...results.values()];
  const ratio = (of, what) => (of[what] / 1).toFixed(2);
  const calmest = (rows) => Math.min(...rows.map(({ cpu }) => cpu));
  const rates = {
    ratio: median(unconflated.map(({ rate }) => rate)) / Math.max(...usual.map(({ rate }) => rate)),
  };
  console.log(
    `\nA message of ${median(souk.map(({ bytes }) => bytes)).toFixed(0)} bytes costs Souk ` +
      `${ratio({ cpu: calmest(souk) / calmest(usual) }, "cpu")} × the peer's CPU (aim ≤ 0.15); ` +
      `without conflation it delivers ${ratio(rates, "ratio")} × the peer's highest rate (aim ` +
      "≥ 6 at 5,000).",
  );
}

/** All leave at once and are back within the spread; then one in ten stops reading. */
async function comeBack(place, sockets) {
  const server = await startSouks(place, {});
  const crowd = startCrowd();
  try {
    const options = (at) => ({
      act: "connect",
      count: share(sockets, at),
      ...connection("souk", server, place),
    });
    await crowd.all(options);
    await crowd.all(() => ({ act: "leave" }));
    await delay(2_000);
    const metrics = () => fetch(new URL("/metrics", server.url)).then((answer) => answer.text());
    await metrics();
    // What scripts do inside is no round trip of anybody's.
    const commands = async () => {
      const stats = await place.redis.info("commandstats");
      return ["evalsha", "mget", "subscribe"].reduce(
        (total, name) =>
          total + Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
        0,
      );
    };
    const before = await commands();
    const results = await crowd.all((at) => ({ ...options(at), spreadMs: 5_000 }));
    const lag = /souk_event_loop_lag_seconds\{quantile="0.99"\} (\S+)/.exec(await metrics())[1];
    const perClient = ((await commands()) - before) / sockets;
    console.log(
      `\n${sockets} signed-in clients that come back within 5 s: all have their value after ` +
        `${(Math.max(...results.map(({ ms }) => ms)) / 1_000).toFixed(1)} s ` +
        `(aim ≤ 15), p99 of one ${Math.max(...results.map(({ p99 }) => p99)).toFixed(0)} ms; ` +
        `${perClient.toFixed(1)} Redis commands each, three to a round trip; ` +
        `event-loop lag p99 ${(1_000 * Number(lag)).toFixed(0)} ms (aim ≤ 500).`,
    );
  } finally {
    crowd.stop();
    await server.stop();
  }
}
