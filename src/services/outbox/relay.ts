/**
 * The relay's pass over the outbox: every row that is due is parsed and sent for itself.
 *
 * A row that fails is tried again with exponential backoff, and set aside after `attemptsMax`
 * attempts with its error (dead letter). It holds up later rows of its keys alone (a topic, a user,
 * a board), and only until it is sent or set aside. An attempt counts only where it is the row's
 * own fault: while a server does not answer a probe, or refuses every command of the kind, nothing
 * is given up. Redis or Postgres down: the pass ends, rejects, and everything stays.
 */
import type { Logger } from "pino";
import type { FailedRow, OutboxTable, RetryOptions, WaitingRow } from "../../db/outbox.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import { refusalOf } from "../../redis/client/refusals.js";
import type { FailClosed } from "../account/fail-closed.js";
import { wordsOf } from "../failures.js";
import { inOrderByKey } from "./keyed-order.js";
import { keysOf, type ReadRow, readRow } from "./row.js";

/** What a pass takes. */
export interface OutboxRelayParts extends RetryOptions {
  readonly table: Pick<OutboxTable, "waiting" | "read" | "done" | "failed" | "keyed">;
  /** Sends all that could be read of a row. */
  readonly send: (row: ReadRow) => Promise<unknown>;
  readonly failClosed: FailClosed;
  /** Rejects while Redis cannot be used. */
  readonly probe: () => Promise<unknown>;
  readonly log: Logger;
}

/** Rows whose place is looked at in one statement. */
const PAGE = 1_000;
/** Rows sent at once: bounds what is repeated after a crash. */
const ROWS_AT_ONCE = 100;

/** One pass over everything that waits. Resolves to how many rows were sent. */
export function createRelayPass(parts: OutboxRelayParts): () => Promise<number> {
  const { table } = parts;
  return async () => {
    const blocked = new Blocked();
    let sent = 0;
    for (let after = 0; ; ) {
      const page = await table.waiting(after, PAGE);
      const free = page.filter((row) => blocked.passes(row));
      for (let done = 0; done < free.length; done += ROWS_AT_ONCE) {
        sent += await sendSome(parts, free.slice(done, done + ROWS_AT_ONCE), blocked);
      }
      const last = page.at(-1);
      if (!last || page.length < PAGE) return sent;
      after = last.id;
    }
  };
}

/** Keys that an earlier row holds up, with the id of the first such row. */
class Blocked {
  private readonly first = new Map<string, number>();

  /** Whether a row may be sent; what may not holds up its own keys. */
  passes({ id, keys, due }: WaitingRow): boolean {
    const known = keys ?? [];
    const free = due && !this.holds(id, known);
    if (!free) this.add(id, known);
    return free;
  }
  holds(id: number, keys: readonly string[]): boolean {
    return keys.some((key) => (this.first.get(key) ?? id) < id);
  }
  add(id: number, keys: readonly string[]): void {
    for (const key of keys) this.first.set(key, Math.min(id, this.first.get(key) ?? id));
  }
}

async function sendSome(
  parts: OutboxRelayParts,
  rows: readonly WaitingRow[],
  blocked: Blocked,
): Promise<number> {
  let [rest, sent] = [rows.map(({ id }) => id), 0];
  while (rest.length > 0) {
    const stored = await parts.table.read(rest);
    sent += await sendRead(parts, stored.map(readRow), blocked);
    const last = stored.at(-1)?.id ?? Number.POSITIVE_INFINITY;
    rest = rest.filter((id) => id > last);
  }
  return sent;
}

/** Sends rows at once, in order where they share a key, and notes what became of them. */
async function sendRead(
  parts: OutboxRelayParts,
  rows: readonly ReadRow[],
  blocked: Blocked,
): Promise<number> {
  const { table } = parts;
  const [sent, waits, failed]: [number[], { id: number; keys: string[] }[], Failure[]] = [
    [],
    [],
    [],
  ];
  await inOrderByKey(rows, keysOf, async (row) => {
    const keys = keysOf(row);
    if (blocked.holds(row.id, keys)) {
      blocked.add(row.id, keys);
      waits.push({ id: row.id, keys });
      return;
    }
    const error = await trySending(parts, row);
    if (error === null) {
      sent.push(row.id);
      return;
    }
    blocked.add(row.id, keys);
    failed.push({ id: row.id, keys, error });
  });
  await table.done(sent);
  await table.keyed(waits);
  await noteFailures(parts, failed);
  return sent.length;
}

/** Resolves to why a row is not sent; null where it is. */
async function trySending(
  { send, failClosed }: OutboxRelayParts,
  row: ReadRow,
): Promise<{ readonly reason: unknown } | null> {
  try {
    if (row.distrusted.length > 0) await failClosed(row.id, row.distrusted);
    await send(row);
    return row.problems.length > 0
      ? { reason: new Error(`cannot be read: ${row.problems.join("; ")}`) }
      : null;
  } catch (reason) {
    return { reason };
  }
}

interface Failure {
  readonly id: number;
  readonly keys: readonly string[];
  readonly error: { readonly reason: unknown };
}

/** Notes failures; a server that is away ends the pass. */
async function noteFailures(
  { table, probe, log, ...retry }: OutboxRelayParts,
  failures: readonly Failure[],
): Promise<void> {
  if (failures.length === 0) return;
  const isAway = (reason: unknown): boolean =>
    reason instanceof ServiceUnavailable && refusalOf(reason) === null;
  if (failures.some(({ error }) => isAway(error.reason))) await probe();
  const rows = failures.map(({ id, keys, error: { reason } }): FailedRow => {
    return { id, keys, error: wordsOf(reason), counts: refusalOf(reason) !== "server" };
  });
  for (const { id: row, attempts, setAside, error: err } of await table.failed(rows, retry)) {
    if (setAside)
      log.error(
        { row, attempts, err },
        "outbox: a row was set aside; `npm run outbox -- list` shows it",
      );
    else log.warn({ row, attempts, err }, "outbox: a row could not be sent and is tried again");
  }
}
