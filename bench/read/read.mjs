/**
 * What a read costs, and two writes, cache hot, beside peers and bounds over the same data in the
 * same run: CPU of the server process per request, SQL statements and Redis commands. Rounds are
 * interleaved, because the machine's own speed moves; only ratios of one run mean anything.
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { open, PEERS, startPeer, startSouk } from "../contestants.mjs";
import { measureDelay } from "../delay.mjs";
import { stopAll, temporaryFolder } from "../processes.mjs";
import { hold, referencesOf, verify, verifyLimited } from "./answers.mjs";
import { runRounds } from "./rounds.mjs";
import { choose, MANIFEST, ROWS } from "./rows.mjs";
import { bearer, headersOf, prepareShop, storeAnswers } from "./shop.mjs";
import { failedOf, rowTable, summaryTable } from "./table.mjs";

/** Others may take the cores: being late then is no overload, and nothing may be shed. */
const PATIENT = { LOAD_WAIT_MS: "30000", LOAD_LAG_MS: "30000" };
/** The row of `delay.mjs`, which has no peers. */
const DELAY = "delay";
const LIMITED_REQUESTS = 20;

/** Runs the rows chosen against the peers chosen and prints the tables. */
export async function benchRead({ rows: rowNames, peers: peerNames, ...options }) {
  const rows = choose(ROWS, rowNames, [DELAY]);
  const peers = choose(PEERS, peerNames).filter((peer) => rows.some((row) => isIn(row, peer)));
  const measured = [];
  try {
    const place = await open(options);
    const souk = await startSouk({ ...place, env: { ...PATIENT, ...withManifest() } });
    const shop = await prepareShop(souk, place);
    await storeAnswers(souk, place, shop);
    const servers = await startPeers(peers, place);
    for (const row of rows)
      measured.push(await benchRow(row, { souk, servers, shop, place, options }));
    await Promise.all(servers.map((server) => server.stop()));
    if (measured.length > 1) console.log(`\n### Souk\n\n${summaryTable(measured)}`);
    if (!rowNames || rowNames.includes(DELAY))
      await measureDelay({ ...place, writer: souk, writes: options.writes });
  } finally {
    await stopAll();
  }
  failWhereAnswersDid(measured);
}

/** The documents whose GET may be kept by caches. */
function withManifest() {
  const file = join(temporaryFolder("manifest"), "manifest.json");
  writeFileSync(file, JSON.stringify(MANIFEST));
  return { PERSISTED_DOCUMENTS_FILE: file };
}

const isIn = ({ peers }, { name, isColdOnly }) => (peers ? peers.includes(name) : !isColdOnly);

/** One after the other: together they would starve each other of the cores. */
async function startPeers(peers, place) {
  const servers = [];
  for (const peer of peers) servers.push(await startPeer(peer, place));
  return servers;
}

async function benchRow(row, { souk, servers, shop, place, options }) {
  const contestants = contestantsOf(row, souk, servers, shop);
  const requests = row.requests(shop);
  const references = await referencesOf(row, contestants[0], requests);
  for (const one of contestants) {
    const foreign = row.foreign?.[one.name];
    one.requests = await verify(one, foreign?.requests(shop) ?? requests, {
      references,
      isRight: row.isRight,
      toData: foreign?.toData,
    });
    if (row.isHeld && one.kind === "souk") one.requests = await hold(one);
    one.size = Math.round(mean(one.requests.map(({ size }) => size)));
  }
  const someRequests = Array.from({ length: LIMITED_REQUESTS }, (_, at) =>
    requests.at(at % requests.length),
  );
  // Answers that caches may keep say nothing of limits; the service token has its own.
  const isLimited = !row.isKept && !row.isCold;
  for (const one of contestants.filter(({ kind }) => kind === "souk" && isLimited))
    await verifyLimited(one, someRequests);
  await runRounds(contestants, place, options);
  const { rounds, seconds, connections } = options;
  console.log(
    `\n### ${row.name}: ${row.title}\n\n${row.isCold ? "Past every cache" : "Warm"}, ${rounds} interleaved rounds of ${seconds} s, ` +
      `${connections} requests at once, Node ${process.version}, load ` +
      `${loadavg()[0].toFixed(1)}; calmest, median\n\n${rowTable({ contestants })}`,
  );
  return { ...row, contestants };
}

/** Souk once for each kind of caller, then the peers. */
function contestantsOf(row, souk, servers, { token }) {
  const { as, isPrivate } = row;
  const callers = as.map((caller) => ({
    ...souk,
    kind: "souk",
    as: caller,
    title: `Souk, ${caller}`,
    headers: headersOf(caller, token),
  }));
  const others = servers
    .filter((server) => isIn(row, server))
    .map((server) => ({
      ...server,
      kind: server.isBound ? "bound" : "peer",
      headers: isPrivate ? bearer(token) : {},
    }));
  return [...callers, ...others];
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A run with one wrong answer is no measurement. */
function failWhereAnswersDid(rows) {
  const failed = rows.flatMap(({ contestants }) => contestants.filter((one) => failedOf(one) > 0));
  if (failed.length === 0) return;
  console.error(
    `\nWrong answers from ${[...new Set(failed.map(({ title }) => title))].join(", ")}.`,
  );
  process.exitCode = 1;
}
