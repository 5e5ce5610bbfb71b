/**
 * A Redis that does not know what Postgres knows of revocations is told before it may judge (law 11): of a user where the server
 * restarted, was restored or took over, and once of everything this process may not have been able to tell while their connection
 * was lost.
 */
import type { OutboxTable } from "../db/outbox.js";
import type { RevocationTable } from "../db/revocations.js";
import { RedisUnavailable } from "../domain/errors.js";
import type { SessionStore } from "../redis/session.js";

/** Asks a Redis that knows. */
export interface SessionTrust {
  /** The answer, once Redis knows; null for a user whom Postgres does not know. Throws ServiceUnavailable when it cannot be told. */
  ask<T>(userTag: string, question: () => Promise<T | "unloaded">): Promise<T | null>;
  close(): void;
}

/** What it takes. */
export interface SessionTrustParts {
  readonly store: Pick<SessionStore, "onLost" | "load" | "loadEverybody" | "revoke">;
  readonly revocations: Pick<RevocationTable, "stateOf" | "everybodyBefore">;
  readonly outboxTable: Pick<OutboxTable, "unsentRevocations">;
}

/** A Redis that is told and forgets at once is restarting over and over. */
const MOST_TELLINGS = 3;

export function createSessionTrust({ store, revocations, outboxTable }: SessionTrustParts): SessionTrust {
  let losses = 0;
  /** The number of losses that were made good; none at the start. */
  let madeGood = -1;
  const stopListening = store.onLost(() => {
    losses += 1;
  });

  const catchUp = async (): Promise<void> => {
    const present = losses;
    if (madeGood === present) return;
    for (const revocation of await outboxTable.unsentRevocations()) await store.revoke(revocation);
    madeGood = Math.max(madeGood, present);
  };
  const tell = async (userTag: string): Promise<boolean> => {
    const [state, beforeMs] = await Promise.all([revocations.stateOf(userTag), revocations.everybodyBefore()]);
    if (!state) return false;
    await Promise.all([store.load(userTag, state), store.loadEverybody(beforeMs)]);
    return true;
  };
  return {
    async ask(userTag, question) {
      await catchUp();
      for (let telling = 0; telling < MOST_TELLINGS; telling++) {
        const answer = await question();
        if (answer !== "unloaded") return answer;
        if (!(await tell(userTag))) return null;
      }
      throw new RedisUnavailable(new Error("Redis forgets what it is told about revocations"));
    },
    close: stopListening,
  };
}
