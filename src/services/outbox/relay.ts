/**
 * The relay's pass over the outbox: reads and sends
 * every due row by itself.
 *
 * A failed row is retried with exponential backoff.
 * After `attemptsMax` attempts it is set aside with
 * its error (dead letter). Meanwhile it delays only
 * later rows of its keys (a topic, a user, a board).
 * An attempt counts only where the row is at fault.
 * None counts while a server answers no probe, or
 * refuses all such commands. Redis or Postgres down:
 * the pass rejects, and all rows stay.
 */
import type { Logger } from "pino";
import type {
  FailedRow,
  OutboxTable,
  RetryOptions,
  StoredRow,
  WaitingRow,
} from "../../db/outbox.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import { failedByAnother } from "../../redis/client/call.js";
import { refusalOf } from "../../redis/client/refusals.js";
import { wordsOf } from "../failures.js";
import { inOrderByKey } from "./keyed-order.js";
import { type OutboxKind, readRow } from "./kind.js";

export interface OutboxRelayDeps extends RetryOptions {
  readonly table: Pick<OutboxTable, "waiting" | "read" | "done" | "failed">;
  readonly kinds: ReadonlyMap<string, OutboxKind>;
  /** Rejects while Redis cannot be used. */
  readonly probe: () => Promise<unknown>;
  readonly log: Logger;
}

/** Rows listed in one statement. */
const PAGE = 1_000;
/** Rows sent at once: bounds what is repeated after a crash. */
const ROWS_AT_ONCE = 100;

/** One pass over all waiting rows. Resolves to the number sent. */
export function createRelayPass(deps: OutboxRelayDeps): () => Promise<number> {
  const { table } = deps;
  return async () => {
    const blocked = new Blocked();
    let sent = 0;
    for (let after = 0; ; ) {
      const page = await table.waiting(after, PAGE);
      const free = page.filter((row) => blocked.passes(row));
      for (let done = 0; done < free.length; done += ROWS_AT_ONCE) {
        sent += await sendSome(deps, free.slice(done, done + ROWS_AT_ONCE), blocked);
      }
      const last = page.at(-1);
      if (!last) return sent;
      after = last.id;
    }
  };
}

/** Keys that an earlier row blocks, with the first such id. */
class Blocked {
  private readonly first = new Map<string, number>();

  /** Whether a row may be sent; otherwise it blocks its keys. */
  passes({ id, keys, due }: WaitingRow): boolean {
    const free = due && !this.holds(id, keys);
    if (!free) this.add(id, keys);
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
  deps: OutboxRelayDeps,
  rows: readonly WaitingRow[],
  blocked: Blocked,
): Promise<number> {
  let [rest, sent] = [rows.map(({ id }) => id), 0];
  while (rest.length > 0) {
    const stored = await deps.table.read(rest);
    sent += await sendRead(deps, stored, blocked);
    const last = stored.at(-1)?.id ?? Number.POSITIVE_INFINITY;
    rest = rest.filter((id) => id > last);
  }
  return sent;
}

/** Sends rows together, in order per key; records outcomes. */
async function sendRead(
  deps: OutboxRelayDeps,
  rows: readonly StoredRow[],
  blocked: Blocked,
): Promise<number> {
  const [sent, failed]: [number[], Failure[]] = [[], []];
  const keysOf = ({ keys }: StoredRow): readonly string[] => keys;
  await inOrderByKey(rows, keysOf, async (row) => {
    if (blocked.holds(row.id, row.keys)) {
      blocked.add(row.id, row.keys);
      return;
    }
    const error = await trySending(deps, row);
    if (error === null) {
      sent.push(row.id);
      return;
    }
    blocked.add(row.id, row.keys);
    failed.push({ id: row.id, error });
  });
  await deps.table.done(sent);
  await noteFailures(deps, failed);
  return sent.length;
}

/** Why a row is not sent; null where it is. */
async function trySending(
  { kinds }: OutboxRelayDeps,
  row: StoredRow,
): Promise<{ readonly reason: unknown } | null> {
  try {
    const kind = kinds.get(row.kind);
    if (!kind) throw new Error(`there is no handler of the kind ${row.kind}`);
    const read = readRow(kind, row);
    await kind.send(read);
    return read.problems.length > 0
      ? { reason: new Error(`cannot be read: ${read.problems.join("; ")}`) }
      : null;
  } catch (reason) {
    return { reason };
  }
}

interface Failure {
  readonly id: number;
  readonly error: { readonly reason: unknown };
}

/** Records failures; a server that is away ends the pass. */
async function noteFailures(
  { table, probe, log, ...retry }: OutboxRelayDeps,
  failures: readonly Failure[],
): Promise<void> {
  if (failures.length === 0) return;
  const isAway = (reason: unknown): boolean =>
    reason instanceof ServiceUnavailable && refusalOf(reason) === null;
  if (failures.some(({ error }) => isAway(error.reason))) await probe();
  const rows = failures.map(({ id, error: { reason } }): FailedRow => {
    return {
      id,
      error: wordsOf(reason),
      counts: refusalOf(reason) !== "server" && !failedByAnother(reason),
    };
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
