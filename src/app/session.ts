/** Sessions and their ends. */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import { createRevocations } from "../services/account/revocations.js";
import { hearSessionEnds } from "../services/account/session-ends.js";
import { createSessionTrust } from "../services/account/session-reload.js";
import { createSessions } from "../services/account/sessions.js";
import type { Closing } from "./disposer.js";
import type { Floor } from "./infrastructure.js";

/** Opens sessions; `onUsed` hears of whoever uses one. */
export async function openSessions(
  floor: Floor,
  config: Config,
  { closing, onUsed, log }: { closing: Closing; onUsed: (userId: number) => void; log: Logger },
) {
  const {
    database,
    outboxTable,
    pubsub,
    revocationTable,
    auditTable,
    sessionStore,
    applyRevocation,
    failClosed,
  } = floor;
  const trust = createSessionTrust({
    store: sessionStore,
    revocations: revocationTable,
    outboxTable,
    failClosed,
    log,
  });
  closing.add(() => trust.close());
  const sessions = createSessions({
    store: sessionStore,
    trust,
    pubsub,
    noteEveryMs: config.sessions.noteEveryMs,
    onUsed,
  });
  const ends = await hearSessionEnds(pubsub, log);
  closing.add(() => ends.close());
  const revocations = createRevocations({
    database,
    table: revocationTable,
    outboxTable,
    store: sessionStore,
    apply: applyRevocation,
    audit: auditTable,
    capMs: config.sessions.capMs,
  });
  return { sessions, revocations, ends };
}
