/**
 * `npm run outbox -- list | retry <id>... | retry --all | drop
 * <id>`: rows that could not be sent. Batches of broadcasts have
 * numbers after a `b`.
 */
import { parseArgs } from "node:util";
import type { Database } from "../db/client/database.js";
import {
  type BroadcastOperating,
  createBroadcastOperating,
} from "../db/notification/broadcast-operating.js";
import { createBroadcastTable } from "../db/notification/broadcasts.js";
import { createOutboxOperating, type OutboxOperating } from "../db/outbox-operating.js";
import { grouped } from "../telemetry/progress.js";
import { runCommand, usage } from "./command.js";
import { broadcastLines, lossesOf, rowLines, secondsOf } from "./outbox-text.js";

const USAGE =
  "Usage: npm run outbox -- list\n" +
  "       npm run outbox -- retry <id>... | --all\n" +
  "       npm run outbox -- drop <id>\n\n" +
  "What committed writes owe to Redis, and notifications to everyone, where they could not be " +
  "sent.\n" +
  "  list    what fails or was set aside: rows of the outbox (17) and broadcasts (b17) with age, " +
  "attempts and the last error\n" +
  "  retry   has them sent again, with all their attempts; a running worker does it at once\n" +
  "  drop    forgets one that was set aside, and says what is lost with it";

const SHOWN = 100;

/** One thing that could not be sent. */
interface Target {
  readonly kind: "row" | "broadcast";
  readonly id: number;
}

type Action =
  | { readonly kind: "list" }
  | { readonly kind: "retry"; readonly targets: readonly Target[] | "all" }
  | { readonly kind: "drop"; readonly target: Target };

/** What the actions work on. */
interface Operating {
  readonly database: Database;
  readonly outbox: OutboxOperating;
  readonly broadcasts: BroadcastOperating;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function list({ database, outbox, broadcasts }: Operating): Promise<number> {
  const { waiting, setAside, oldestMs } = await outbox.state();
  say(
    `${grouped(waiting)} rows wait, the oldest for ${secondsOf(oldestMs)}; ` +
      `${grouped(setAside)} are set aside.`,
  );
  const rows = await outbox.troubled(SHOWN);
  for (const row of rows) say(rowLines(row));
  if (rows.length === SHOWN) say(`The first ${SHOWN} are shown.`);
  const state = await createBroadcastTable().state(database);
  say(
    `${grouped(state.open)} notifications to everyone are on their way; ` +
      `${grouped(state.setAside)} parts of some are set aside.`,
  );
  const parts = await broadcasts.troubled({ limit: SHOWN });
  for (const part of parts) say(broadcastLines(part));
  if (parts.length === SHOWN) say(`The first ${SHOWN} are shown.`);
  return 0;
}

async function retry(
  { outbox, broadcasts }: Operating,
  targets: readonly Target[] | "all",
): Promise<number> {
  const rows = await outbox.retry(targetIds(targets, "row"));
  const parts = await broadcasts.retry(targetIds(targets, "broadcast"));
  const count = rows.length + parts.length;
  say(`${grouped(count)} ${count === 1 ? "row" : "rows"} will be sent again.`);
  if (targets === "all") return 0;
  const missing = targets.filter(({ kind, id }) => !(kind === "row" ? rows : parts).includes(id));
  if (missing.length === 0) return 0;
  say(`There is no row ${missing.map(targetName).join(", ")}: it was sent or dropped.`);
  return 1;
}

async function dropTarget({ outbox, broadcasts }: Operating, target: Target): Promise<number> {
  const { id } = target;
  if (target.kind === "row") {
    const row = await outbox.row(id);
    return dropped({
      target,
      what: row && rowLines(row),
      isDropped: await outbox.drop(id),
      lost: row ? lossesOf(row).join("; ") : "",
    });
  }
  const [part] = await broadcasts.troubled({ limit: 1, id });
  const lost = "these users never get this notification";
  return dropped({
    target,
    what: part ? broadcastLines(part) : null,
    isDropped: await broadcasts.drop(id),
    lost,
  });
}

interface Dropping {
  readonly target: Target;
  /** Null where there is none. */
  readonly what: string | null;
  readonly isDropped: boolean;
  readonly lost: string;
}

function dropped({ target, what, isDropped, lost }: Dropping): number {
  const name = targetName(target);
  if (what === null || !isDropped) {
    say(
      what === null
        ? `There is no row ${name}.`
        : `Row ${name} is not set aside: a worker still sends it. Nothing was dropped.`,
    );
    return 1;
  }
  say(what);
  say(`Row ${name} was dropped. Lost with it: ${lost}.`);
  return 0;
}

const targetName = ({ kind, id }: Target): string => (kind === "row" ? String(id) : `b${id}`);

function targetIds(
  targets: readonly Target[] | "all",
  kind: Target["kind"],
): readonly number[] | "all" {
  return targets === "all"
    ? "all"
    : targets.flatMap((target) => (target.kind === kind ? [target.id] : []));
}

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
  const targets = words.map(targetOf).filter((target) => target !== null);
  if (targets.length < words.length) return null;
  if (kind === "retry" && all !== targets.length > 0)
    return { kind, targets: all ? "all" : targets };
  if (all) return null;
  if (kind === "list" && targets.length === 0) return { kind };
  const [target, ...more] = targets;
  return kind === "drop" && target !== undefined && more.length === 0 ? { kind, target } : null;
}

function targetOf(word: string): Target | null {
  const [, prefix, digits] = /^(b?)(\d+)$/.exec(word) ?? [];
  const id = Number(digits);
  return Number.isSafeInteger(id) && id >= 1
    ? { kind: prefix === "b" ? "broadcast" : "row", id }
    : null;
}

const action = readArguments();
await runCommand(async ({ database }) => {
  const operating = {
    database,
    outbox: createOutboxOperating(database),
    broadcasts: createBroadcastOperating(database),
  };
  if (action.kind === "list") return list(operating);
  return action.kind === "retry"
    ? retry(operating, action.targets)
    : dropTarget(operating, action.target);
});
