/** `npm run outbox -- list | retry <id>... | retry --all | drop <id>`: rows of the outbox that could not be sent. */
import { parseArgs } from "node:util";
import { createOutboxOperating, type OutboxOperating, type TroubledRow } from "../db/outbox-operating.js";
import { own } from "../domain/own.js";
import { SECOND } from "../domain/time.js";
import { runCommand, usage } from "./command.js";
import { grouped } from "./progress.js";

const USAGE = `Usage: npm run outbox -- list
       npm run outbox -- retry <id>... | --all
       npm run outbox -- drop <id>

What committed writes owe to Redis, and could not be sent.
  list    rows that fail or were set aside: age, attempts, what they hold, their keys and the last error
  retry   has rows sent again, with all their attempts; a running worker does it at once
  drop    forgets one row that was set aside, and says what is lost with it`;

const SHOWN = 100;

type Action =
  | { readonly kind: "list" }
  | { readonly kind: "retry"; readonly target: readonly number[] | "all" }
  | { readonly kind: "drop"; readonly id: number };

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function list(outbox: OutboxOperating): Promise<number> {
  const { waiting, setAside, oldestMs } = await outbox.state();
  say(`${grouped(waiting)} rows wait, the oldest for ${secondsOf(oldestMs)}; ${grouped(setAside)} are set aside.`);
  const rows = await outbox.troubled(SHOWN);
  for (const row of rows) say(linesOf(row));
  if (rows.length === SHOWN) say(`The first ${SHOWN} are shown.`);
  return 0;
}

async function retry(outbox: OutboxOperating, target: readonly number[] | "all"): Promise<number> {
  const ids = await outbox.retry(target);
  say(`${grouped(ids.length)} ${ids.length === 1 ? "row" : "rows"} will be sent again.`);
  const missing = target === "all" ? [] : target.filter((id) => !ids.includes(id));
  if (missing.length === 0) return 0;
  say(`There is no row ${missing.join(", ")}: it was sent or dropped.`);
  return 1;
}

async function drop(outbox: OutboxOperating, id: number): Promise<number> {
  const row = await outbox.row(id);
  if (!row || !(await outbox.drop(id))) {
    say(row ? `Row ${id} is not set aside: a worker still sends it. Nothing was dropped.` : `There is no row ${id}.`);
    return 1;
  }
  say(linesOf(row));
  say(`Row ${id} was dropped. Lost with it: ${lossesOf(row).join("; ")}.`);
  return 0;
}

function linesOf({ id, ageMs, setAside, attempts, holds, keys, error }: TroubledRow): string {
  const held = Object.entries(holds).flatMap(([part, count]) => (count === 0 ? [] : [`${part} (${count ?? "no list"})`]));
  const lines = [
    `  row ${id}: ${setAside ? "set aside" : "tried again"}, ${secondsOf(ageMs)} old, ${attempts} attempts`,
    `    holds  ${held.join(", ") || "nothing"}`,
    ...(keys.length > 0 ? [`    keys   ${keys.join(", ")}`] : []),
    `    error  ${error}`,
  ];
  return lines.join("\n");
}

/** What it means that a part is never sent. */
const LOSSES: Readonly<Record<string, string>> = {
  revocations: "sessions that were revoked may go on in Redis until they run out; end them with revokeAllSessions",
  tags: "cached values stay old until CACHE_TTL_MS and CACHE_GRACE_MS have passed",
  events: "subscribers miss a change until the next one",
  notifications: "subscribers learn of notifications with the next one; inboxes have them",
  scores: "the shop's boards lack these scores for good",
};

function lossesOf({ holds }: TroubledRow): string[] {
  const lost = Object.entries(holds).flatMap(([part, count]) => (count === 0 ? [] : [own(LOSSES, part) ?? part]));
  return lost.length > 0 ? lost : ["nothing"];
}

const secondsOf = (ms: number): string => `${grouped(Math.round(ms / SECOND))} s`;

function readArguments(): Action {
  try {
    const options = {
      all: { type: "boolean", default: false },
      confirm: { type: "string" },
      help: { type: "boolean", short: "h" },
    } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help) return usage(USAGE, 0);
    return actionOf(positionals, values) ?? usage(USAGE, 1);
  } catch (error) {
    return usage(`${(error as Error).message}\n\n${USAGE}`, 1);
  }
}

function actionOf([kind, ...words]: string[], { all }: { readonly all: boolean }): Action | null {
  const ids = words.map(Number);
  if (ids.some((id) => !Number.isSafeInteger(id) || id < 1)) return null;
  if (kind === "retry" && all !== ids.length > 0) return { kind, target: all ? "all" : ids };
  if (all) return null;
  if (kind === "list" && ids.length === 0) return { kind };
  const [id, ...more] = ids;
  return kind === "drop" && id !== undefined && more.length === 0 ? { kind, id } : null;
}

const action = readArguments();
await runCommand(async ({ database }) => {
  const outbox = createOutboxOperating(database);
  if (action.kind === "list") return list(outbox);
  return action.kind === "retry" ? retry(outbox, action.target) : drop(outbox, action.id);
});
