/** Signing the guestbook, and the outbox rows that signing owes. */
import { z } from "zod";
import type { Topic } from "../../../src/domain/events/events.js";
import { changeEntry, type OutboxEntry } from "../../../src/domain/events/outbox.js";
import type { ConsistencyToken } from "../../../src/domain/reading/consistency-token.js";
import type { OutboxKind } from "../../../src/services/outbox/kind.js";
import {
  createWriteWithOutbox,
  type OutboxWriteDeps,
} from "../../../src/services/outbox/write-with-outbox.js";
import type { GuestbookStore } from "./store.js";

declare module "../../../src/domain/events/events.js" {
  interface TopicPayloads {
    guestbookChanged: Change;
  }
}

/** The one topic of the guestbook. */
export const GUESTBOOK_TOPIC: Topic<"guestbookChanged"> = { kind: "guestbookChanged", id: 0 };

/** The key that orders the rows of a signature: it is stored before its event is published. */
const ORDER_KEY = `${GUESTBOOK_TOPIC.kind}:${GUESTBOOK_TOPIC.id}`;

const signatureEntry = (signature: string): OutboxEntry => ({
  kind: "signature",
  keys: [ORDER_KEY],
  payload: { signatures: [signature] },
});

/** Puts signatures into Redis. */
export const createSignatureKind = (
  store: Pick<GuestbookStore, "add">,
): OutboxKind<{ readonly signatures: readonly string[] }> => ({
  kind: "signature",
  lists: { signatures: z.string() },
  losses: { signatures: "the guestbook lacks these signatures" },
  invalidates: false,
  async send({ payload: { signatures } }) {
    for (const signature of signatures) await store.add(signature);
    return 0;
  },
});

/** Signs the guestbook. */
export interface Guestbooks {
  sign(signature: string): Promise<ConsistencyToken | null>;
}

export function createGuestbooks(deps: OutboxWriteDeps): Guestbooks {
  const write = createWriteWithOutbox(deps);
  return {
    async sign(signature) {
      const event = { topic: GUESTBOOK_TOPIC, version: 1 };
      const owes = [signatureEntry(signature), changeEntry({ events: [event] })];
      const { seen } = await write(async () => ({ decision: null, owes }));
      return seen;
    },
  };
}
