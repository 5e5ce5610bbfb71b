/**
 * What an idle subscriber holds: one socket with one `leaderboardChanged` on a board without
 * changes. Idle: nothing else happens. Busy: others get 20 changes a second while newcomers come.
 * The same number came and left before, so that code and tables are warm.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  connection,
  MAKE,
  memoryOf,
  preparePlace,
  share,
  startCrowd,
  startSouks,
  startWrites,
  submit,
  WATCH,
  write,
} from "./fanout.mjs";
import { stopAll } from "./processes.mjs";

const QUIET = "quiet";
/** Subscribers of the board that changes. */
const WATCHERS = 200;
/**
 * Newcomers while others get messages: fewer, and one for each change. Those that come between two
 * changes would share a buffer, and hide what one of them pins.
 */
const BUSY_NEWCOMERS = 500;
const BUSY_SPREAD_MS = 25_000;
const SETTLE_MS = 1_500;

const CASES = [
  { name: "idle, anonymous", isBusy: false, isSignedIn: false },
  { name: "idle, signed in", isBusy: false, isSignedIn: true },
  { name: "busy, anonymous", isBusy: true, isSignedIn: false },
];

/** Runs everything and prints it. */
export async function benchSubscribers({ dist, rounds, sizes }) {
  try {
    const place = await preparePlace(dist);
    const board = { slug: QUIET, title: "Quiet", periods: ["ALL_TIME"] };
    await write(place, MAKE, board, "createLeaderboard");
    await submit(place, QUIET);
    for (const sockets of sizes) {
      console.log(`\n### ${sockets} sockets, ${rounds} rounds, Node ${process.version}\n`);
      console.log("| server | heap, KiB a subscriber | with buffers | RSS |");
      console.log("|---|---:|---:|---:|");
      for (const each of CASES) {
        const rows = [];
        for (let round = 0; round < rounds; round += 1)
          rows.push(await measure(place, sockets, each));
        const cells = ["heap", "used", "rss"].map((what) =>
          rows.map((row) => row[what].toFixed(2)).join(", "),
        );
        console.log(`| ${each.name} | ${cells.join(" | ")} |`);
      }
    }
  } finally {
    await stopAll();
  }
}

/** KiB that each newcomer adds. */
async function measure(place, asked, { isBusy, isSignedIn }) {
  const sockets = isBusy ? Math.min(asked, BUSY_NEWCOMERS) : asked;
  // Every change is a message of its own, so that there are many.
  const server = await startSouks(place, { CONFLATION_MS: "0" });
  const [watchers, newcomers] = [startCrowd(), startCrowd()];
  const subscribed = {
    ...connection("souk", server, place),
    subscribe: { query: WATCH, variables: { slug: QUIET } },
    ...(!isSignedIn && { init: undefined }),
  };
  const come = (spreadMs) =>
    newcomers.all((at) => ({
      act: "connect",
      count: share(sockets, at),
      spreadMs,
      ...subscribed,
    }));
  try {
    await come(0);
    await newcomers.all(() => ({ act: "leave" }));
    if (isBusy) {
      await watchers.all((at) => ({
        act: "connect",
        count: share(WATCHERS, at),
        ...connection("souk", server, place),
      }));
      await duringWrites(place, () => delay(SETTLE_MS));
    }
    await delay(SETTLE_MS);
    const before = await memoryOf(server);
    if (isBusy) await duringWrites(place, () => come(BUSY_SPREAD_MS));
    else await come(0);
    await delay(SETTLE_MS);
    const after = await memoryOf(server);
    return Object.fromEntries(
      Object.keys(after).map((what) => [what, (after[what] - before[what]) / sockets / 1_024]),
    );
  } finally {
    watchers.stop();
    newcomers.stop();
    await server.stop();
  }
}

async function duringWrites(place, act) {
  const writes = startWrites("souk", place);
  try {
    await act();
  } finally {
    await writes.stop();
  }
}
