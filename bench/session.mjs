/**
 * What sessions cost: ending 10 of them against 100,000, of one user and of everybody; a sign-in;
 * twenty at once and the event loop; the look-up with each request; and how long a socket on
 * another process outlives the answer to its revocation.
 *
 * Redis' own µs are what it says of its scripts (INFO commandstats), so the travel is not in them;
 * the server's CPU is from /proc.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import WebSocket from "ws";
import { ADMIN_TOKEN, startSouk } from "./contestants.mjs";
import { ask } from "./load.mjs";
import { cpuMicros, startPostgres, startRedis, stopAll } from "./processes.mjs";

const FEW = 10;
const MANY = 100_000;
const SIGN_INS = 60;
const AT_ONCE = 20;
const WAVES = 10;
const LOOK_UPS = 4_000;
const CLOSES = 50;

const SIGN_UP =
  "mutation SignUp($input: SignUpInput!) { signUp(input: $input) { token errors { code } } }";
const SIGN_IN =
  "mutation SignIn($input: SignInInput!) { signIn(input: $input) { token errors { code } } }";
const REVOKE_ALL =
  "mutation RevokeAll($input: RevokeAllInput!) { revokeAllSessions(input: $input) { revoked " +
  "errors { code } } }";
const VIEWER = { query: "{ viewer { user { id } } }" };
const PASSWORD = "correct horse battery staple";

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const sum = (values) => values.reduce((total, value) => total + value, 0);
const quantile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];

/** Measures everything and prints it. */
export async function benchSession({ dist, rounds }) {
  try {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    const env = {
      SIGN_UP_ADDRESS_MAX: "100000",
      SIGN_UP_NETWORK_MAX: "100000",
      SESSION_MAX: `${2 * MANY}`,
    };
    const place = { dist, databaseUrl: postgres.url, redisUrl: redis.url, redis: redis.redis, env };
    const [server, other] = [await startSouk(place), await startSouk(place)];
    const parts = { ...place, server, other };
    await benchRevocations({ ...parts, rounds: Math.min(rounds, 5) });
    await benchSignIn(parts);
    await benchLag(parts);
    await benchLookUp(parts);
    await benchCloses(parts);
  } finally {
    await stopAll();
  }
}

let people = 0;
async function signUp({ url }) {
  people += 1;
  const email = `${people}@bench.example`;
  const { token } = (
    await ask(url, {
      query: SIGN_UP,
      variables: { input: { email, password: PASSWORD, name: "Ben", deliver: "TOKEN" } },
    })
  ).signUp;
  return { email, token };
}
const signIn = async ({ url }, email) =>
  (
    await ask(url, {
      query: SIGN_IN,
      variables: { input: { email, password: PASSWORD, deliver: "TOKEN" } },
    })
  ).signIn.token;

/** Calls and µs of scripts since the last reset, as Redis counts them. */
async function scriptsOf(redis, work) {
  await redis.config("RESETSTAT");
  await work();
  const [, calls = 0, usec = 0] =
    /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(await redis.info("commandstats")) ?? [];
  return { calls: Number(calls), micros: Number(usec) };
}

/** Souk's own store, to make many sessions quickly: a sign-in each would take an hour of Argon2. */
async function openStore({ dist, redisUrl }) {
  const load = (file) => import(pathToFileURL(join(dist, "redis", file)).href);
  const [{ connectRedis, whenReady }, { createCallers }, { createKeys }, { createSessionStore }] =
    await Promise.all(
      ["client/connect.js", "client/call.js", "client/keys.js", "session/session.js"].map(load),
    );
  const silent = () => {};
  const connection = connectRedis({
    url: redisUrl,
    role: "requests",
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  await whenReady(connection, 10_000);
  const lives = {
    idleMs: 1_800_000,
    capMs: 604_800_000,
    noteEveryMs: 60_000,
    maxSessions: 2 * MANY,
  };
  const caller = createCallers({ connection }).of("session", { deadlineMs: 10_000 });
  return {
    store: createSessionStore(caller, createKeys(), lives),
    close: () => connection.disconnect(),
  };
}

async function benchRevocations({ server, redis, rounds, ...place }) {
  const { store, close } = await openStore(place);
  const { token } = await signUp(server);
  const { viewer } = await ask(server.url, VIEWER, bearer(token));
  const user = { userTag: token.split(".")[0], userId: viewer.user.id, epoch: 1 };
  const targets = {
    "of one user": () => ({ userId: user.userId }),
    "of everybody": () => ({ issuedBefore: new Date().toISOString() }),
  };
  const results = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [whose, target] of Object.entries(targets)) {
      for (const sessions of round % 2 === 0 ? [FEW, MANY] : [MANY, FEW]) {
        await makeSessions(store, user, `${round}-${whose}-${sessions}`, sessions);
        const began = performance.now();
        const cost = await scriptsOf(redis, async () => {
          const variables = { input: target() };
          const { revokeAllSessions } = await ask(
            server.url,
            { query: REVOKE_ALL, variables },
            bearer(ADMIN_TOKEN),
          );
          if (revokeAllSessions.errors.length > 0)
            throw new Error(JSON.stringify(revokeAllSessions));
        });
        results.push({ whose, sessions, ...cost, ms: performance.now() - began });
        // Whatever the round was about, the next begins with an empty set.
        await ask(
          server.url,
          { query: REVOKE_ALL, variables: { input: { userId: user.userId } } },
          bearer(ADMIN_TOKEN),
        );
        user.epoch += whose === "of one user" ? 2 : 1;
      }
    }
  }
  close();
  printRevocations(results);
}

async function makeSessions(store, { userTag, epoch }, name, count) {
  for (let from = 0; from < count; from += 1_000) {
    const some = Array.from({ length: Math.min(1_000, count - from) }, (_, at) => ({
      ...{
        userTag,
        epoch,
        id: `${name}-${from + at}`,
        userId: 1,
        role: "CUSTOMER",
        device: "a bench",
        ip: "127.0.0.1",
      },
    }));
    const [made] = await Promise.all(some.map((session) => store.create(session)));
    if (typeof made !== "object") throw new Error(`no session was made: ${made}`);
  }
}

function printRevocations(results) {
  console.log(
    "\n| revoking | sessions | scripts in Redis | µs in Redis, median | answered after ms, " +
      "median |\n|---|---:|---:|---:|---:|",
  );
  for (const whose of new Set(results.map((result) => result.whose))) {
    for (const sessions of [FEW, MANY]) {
      const rows = results.filter(
        (result) => result.whose === whose && result.sessions === sessions,
      );
      const median = (field) =>
        quantile(
          rows.map((row) => row[field]),
          0.5,
        );
      console.log(
        `| ${whose} | ${sessions} | ${median("calls")} | ${median("micros")} | ` +
          `${median("ms").toFixed(1)} |`,
      );
    }
  }
}

async function benchSignIn({ server, redis }) {
  const { email } = await signUp(server);
  await signIn(server, email);
  const times = [];
  const cpu = cpuMicros(server.pid);
  const scripts = await scriptsOf(redis, async () => {
    for (let count = 0; count < SIGN_INS; count += 1) {
      const began = performance.now();
      await signIn(server, email);
      times.push(performance.now() - began);
    }
  });
  const cpuMs = (cpuMicros(server.pid) - cpu) / 1_000 / SIGN_INS;
  console.log(
    `\nA sign-in, ${SIGN_INS} one after the other: p50 ${quantile(times, 0.5).toFixed(1)} ` +
      `ms, p99 ${quantile(times, 0.99).toFixed(1)} ms; ` +
      `${cpuMs.toFixed(1)} ms of CPU, nearly all of it Argon2id on other threads; ` +
      `${scripts.calls / SIGN_INS} scripts, ` +
      `${(scripts.micros / SIGN_INS).toFixed(0)} µs in Redis.`,
  );
}

async function lagOf({ url }) {
  const text = await (await fetch(new URL("/metrics", url))).text();
  return ["0.5", "0.99", "1"].map(
    (share) =>
      1_000 * Number(text.match(`souk_event_loop_lag_seconds{quantile="${share}"} (\\S+)`)?.[1]),
  );
}

async function benchLag({ server }) {
  const all = [];
  for (let count = 0; count < AT_ONCE; count += 1) all.push(await signUp(server));
  await lagOf(server);
  const times = [];
  for (let wave = 0; wave < WAVES; wave += 1) {
    const began = performance.now();
    const one = async ({ email }) => {
      await signIn(server, email);
      times.push(performance.now() - began);
    };
    await Promise.all(all.map(one));
  }
  const [p50, p99, longest] = (await lagOf(server)).map((ms) => ms.toFixed(1));
  console.log(
    `\n${AT_ONCE} sign-ins at once, ${WAVES} times: event-loop lag p50 ${p50} ms, p99 ${p99} ` +
      `ms, longest ${longest} ms (aim: p99 < 200 ms); ` +
      `answered after p50 ${quantile(times, 0.5).toFixed(0)} ms, at the latest ` +
      `${quantile(times, 1).toFixed(0)} ms.`,
  );
}

async function benchLookUp({ server, redis }) {
  const { token } = await signUp(server);
  await ask(server.url, VIEWER, bearer(token));
  const { calls, micros } = await scriptsOf(redis, async () => {
    for (let done = 0; done < LOOK_UPS; done += 10) {
      await Promise.all(Array.from({ length: 10 }, () => ask(server.url, VIEWER, bearer(token))));
    }
  });
  console.log(
    `\nLooking a session up: ${calls / LOOK_UPS} scripts in one round trip, ` +
      `${(micros / LOOK_UPS).toFixed(1)} µs in Redis for each request, over ${LOOK_UPS} ` +
      "requests.",
  );
}

async function benchCloses({ server, other }) {
  const delays = [];
  for (let count = 0; count < CLOSES; count += 1) {
    const { token } = await signUp(server);
    const socket = new WebSocket(other.url.replace("http", "ws"), "graphql-transport-ws");
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const welcomed = new Promise((resolve) => socket.once("message", resolve));
    socket.send(JSON.stringify({ type: "connection_init", payload: bearer(token) }));
    await welcomed;
    const closed = new Promise((resolve) =>
      socket.once("close", (code) => resolve({ code, at: performance.now() })),
    );
    await ask(server.url, { query: "mutation { signOut { signedOut } }" }, bearer(token));
    const answered = performance.now();
    const { code, at } = await closed;
    if (code !== 4401) throw new Error(`closed with ${code}`);
    delays.push(Math.max(0, at - answered));
  }
  console.log(
    "\nFrom the answer to a revocation until a socket on another process is closed, " +
      `${CLOSES} times: ` +
      `p50 ${quantile(delays, 0.5).toFixed(1)} ms, longest ${quantile(delays, 1).toFixed(1)} ` +
      `ms, mean ${(sum(delays) / CLOSES).toFixed(1)} ms (aim: ≤ 1 s).`,
  );
}
