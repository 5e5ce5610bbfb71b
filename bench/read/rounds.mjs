/** Interleaved rounds of requests: CPU of the server, SQL statements and Redis commands of each. */
import { loadRequests } from "../load.mjs";
import { cpuMicros } from "../processes.mjs";

const WARM_UP_SECONDS = 2;

/** Gives each contestant its `rounds`. */
export async function runRounds(contestants, place, { rounds, seconds, connections }) {
  for (const one of contestants) {
    one.rounds = [];
    await runRound(one, place, { connections, seconds: WARM_UP_SECONDS });
  }
  for (let round = 0; round < rounds; round += 1) {
    // Turned round every time, so that no server always runs after the same one.
    for (const one of round % 2 === 0 ? contestants : [...contestants].reverse())
      one.rounds.push(await runRound(one, place, { connections, seconds }));
    process.stderr.write(`  round ${round + 1} of ${rounds}\r`);
  }
}

async function runRound({ pid, url, requests, headers, title }, { pool, redis }, options) {
  const before = await counts(pool, redis);
  const cpuBefore = cpuMicros(pid);
  const done = await loadRequests(url, requests, { ...options, headers });
  const cpu = cpuMicros(pid) - cpuBefore;
  const after = await counts(pool, redis);
  if (done.failure) console.error(`${title}: ${done.failed} failed, first ${done.failure}`);
  const perRequest = (what) => Math.max(0, after[what] - before[what]) / done.requests;
  return {
    cpu: cpu / done.requests,
    rps: done.requests / done.seconds,
    sql: perRequest("sql"),
    redis: perRequest("redis"),
    failed: done.failed,
  };
}

/** Statements and commands so far, those of this question taken out. */
let questions = 0;
async function counts(pool, redis) {
  const { rows } = await pool.query(
    "SELECT coalesce(sum(calls), 0)::float8 AS calls FROM pg_stat_statements WHERE query NOT " +
      "LIKE '%pg_stat_statements%'",
  );
  questions += 1;
  const commands = Number(/total_commands_processed:(\d+)/.exec(await redis.info("stats"))[1]);
  return { sql: rows[0].calls, redis: commands - questions };
}
