/**
 * The transactional outbox: rows committed with a
 * write, and sent by kind (kind.ts). A write
 * dispatches its own rows before it answers. The relay
 * (jobs/outbox-relay.ts, relay.ts) sends those that a
 * crash or an outage left.
 */
import type { Logger } from "pino";
import type { OutboxTable, RetryOptions } from "../../db/outbox.js";
import type { OutboxRow } from "../../domain/events/outbox.js";
import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import { lateError, withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import type { Cache } from "../../redis/cache/cache.js";
import { wordsOf } from "../failures.js";
import { inOrderByKey } from "./keyed-order.js";
import { type OutboxKind, wholeRow } from "./kind.js";
import { createRelayPass } from "./relay.js";

export interface OutboxDeps extends RetryOptions {
  readonly table: OutboxTable;
  readonly cache: Pick<Cache, "nowMs">;
  /** Handlers registered from the start; default none. */
  readonly kinds?: readonly OutboxKind[];
  /** Rejects while Redis cannot be used. */
  readonly probe: () => Promise<unknown>;
  /** Longest wait of a write for its own rows. */
  readonly drainMs: number;
  readonly log: Logger;
}

export type Outbox = ReturnType<typeof createOutbox>;

/**
 * Bypass of the cache after an unannounced write:
 * longer than the relay needs.
 */
const UNANNOUNCED_MS = 30 * SECOND;

/** `count` of invalidations; null when not sent in time. */
interface Dispatched {
  readonly invalidates: boolean;
  readonly count: number | null;
}

export function createOutbox({ kinds: registered = [], ...deps }: OutboxDeps) {
  const { table, cache, log } = deps;
  const kinds = new Map<string, OutboxKind>();
  const register = (kind: OutboxKind): void => {
    if (kinds.has(kind.kind)) throw new Error(`The outbox has two handlers of ${kind.kind}.`);
    kinds.set(kind.kind, kind);
  };
  for (const kind of registered) register(kind);
  const pass = createRelayPass({ ...deps, kinds });

  return {
    /** Adds the handler of a kind. Throws where there is one. */
    register,
    /**
     * Sends rows just committed, within `drainMs`. Resolves to
     * the consistency token of the write. Its count is that of
     * invalidations. Where one was not sent in time, the token
     * bypasses the cache for a while.
     */
    async dispatch(rows: readonly OutboxRow[]): Promise<ConsistencyToken> {
      const sent: Dispatched[] = [];
      const send = async (row: OutboxRow) => void sent.push(await dispatchRow(deps, kinds, row));
      await inOrderByKey(rows, ({ keys }) => keys, send);
      return tokenOf(sent, () => cache.nowMs());
    },
    /**
     * Sends what waits and is due, unless another relay is
     * at work. A row that fails is noted and logged.
     * Rejects while Redis or Postgres does not answer;
     * nothing is lost then.
     */
    async sendWaiting(): Promise<void> {
      const sent = (await table.alone(pass)) ?? 0;
      if (sent > 0) log.info({ rows: sent }, "outbox: the relay announced writes");
    },
  };
}

async function dispatchRow(
  { table, drainMs, log }: Pick<OutboxDeps, "table" | "drainMs" | "log">,
  kinds: ReadonlyMap<string, OutboxKind>,
  { id, kind: name, payload }: OutboxRow,
): Promise<Dispatched> {
  const kind = kinds.get(name);
  if (!kind) {
    // The write is committed: the relay tries the row, and sets it aside in the end.
    log.error({ row: id, kind: name }, "outbox: there is no handler of this kind");
    return { invalidates: true, count: null };
  }
  const { invalidates } = kind;
  const sent = kind.send(wholeRow(id, payload));
  // A failure is handled below. A row that is sent late
  // is forgotten all the same.
  sent.then(() => forget(table, id, log)).catch(() => undefined);
  try {
    const count = await withDeadline(sent, drainMs, lateError("not sent", drainMs));
    return { invalidates, count };
  } catch (error) {
    log.warn(
      { err: wordsOf(error), row: id, kind: name },
      "outbox: a write could not be announced yet; the relay will",
    );
    return { invalidates, count: null };
  }
}

const forget = (table: Pick<OutboxTable, "done">, id: number, log: Logger): Promise<void> =>
  table
    .done([id])
    .catch((error: Error) =>
      log.debug({ err: error.message }, "outbox: a sent row stays; the relay sends it again"),
    );

function tokenOf(sent: readonly Dispatched[], nowMs: () => number): ConsistencyToken {
  const isStale = sent.some(({ invalidates, count }) => invalidates && count === null);
  return isStale
    ? { count: 0, bypassUntilMs: nowMs() + UNANNOUNCED_MS }
    : { count: Math.max(0, ...sent.map(({ count }) => count ?? 0)), bypassUntilMs: 0 };
}
