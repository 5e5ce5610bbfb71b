/**
 * Counts refused sign-ins for the audit log. Clients can
 * cause any number, so none is a statement of its own. Each
 * process counts by account and address. It writes once a
 * minute, in one statement of bounded size. So a refusal
 * costs the same with an account as without. A process that
 * is killed loses its last minute.
 */
import type { Logger } from "pino";
import type { AuditTable } from "../../db/account/audit.js";
import type { CountedEvent, RefusalCount } from "../../domain/account/audit.js";
import { addressHolder } from "../../domain/address.js";
import { MINUTE } from "../../domain/time/time.js";

export interface RefusedSignIns {
  /**
   * @param userId the account that was meant, where
   * there is one
   */
  note(event: CountedEvent, userId: number | null, ip: string): void;
  /**
   * Writes new counts. Never rejects: what fails is
   * written with the next.
   */
  flush(): Promise<void>;
  /** Writes the rest. */
  close(): Promise<void>;
}

export interface RefusedSignInsDeps {
  readonly table: Pick<AuditTable, "appendRefusals">;
  readonly log: Logger;
}

const FLUSH_EVERY_MS = MINUTE;
/**
 * Accounts and addresses counted apart within a
 * minute; the rest is counted together.
 */
const MAX_ROWS = 100;

export function createRefusedSignIns({ table, log }: RefusedSignInsDeps): RefusedSignIns {
  const counts = new Map<string, RefusalCount>();
  let flushing: Promise<void> = Promise.resolve();

  const add = (refusal: RefusalCount): void => {
    const keyOf = ({ event, userId, from }: RefusalCount) => `${event} ${userId} ${from}`;
    const known = counts.has(keyOf(refusal));
    const counted =
      known || counts.size < MAX_ROWS ? refusal : { ...refusal, userId: null, from: null };
    const before = counts.get(keyOf(counted))?.count ?? 0;
    counts.set(keyOf(counted), { ...counted, count: before + refusal.count });
  };
  const write = async (): Promise<void> => {
    const written = [...counts.values()];
    counts.clear();
    try {
      await table.appendRefusals(written);
    } catch (error) {
      log.debug({ err: (error as Error).message }, "refused sign-ins are written with the next");
      for (const refusal of written) add(refusal);
    }
  };
  const flush = (): Promise<void> => {
    flushing = flushing.then(write);
    return flushing;
  };
  const timer = setInterval(() => void flush(), FLUSH_EVERY_MS).unref();
  return {
    note: (event, userId, ip) => add({ event, userId, from: addressHolder(ip), count: 1 }),
    flush,
    close() {
      clearInterval(timer);
      return flush();
    },
  };
}
