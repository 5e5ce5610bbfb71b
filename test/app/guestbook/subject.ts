/** A subject of its own: what `src/app/<subject>.ts` is for the others. */
import { defineSubject } from "../../../src/app/module.js";
import { guestbookConfig } from "./config.js";
import { GuestbookResolver } from "./resolvers.js";
import { createGuestbooks, createSignatureKind, GUESTBOOK_TOPIC } from "./service.js";
import { createGuestbookStore } from "./store.js";

export const guestbook = defineSubject({
  name: "guestbook",
  config: guestbookConfig,
  resolvers: [GuestbookResolver],
  open({ infrastructure, settings }) {
    const store = createGuestbookStore(infrastructure.requests, infrastructure.keyPrefix, settings);
    return {
      topics: [GUESTBOOK_TOPIC.kind],
      outbox: [createSignatureKind(store)],
      checks: [
        {
          look: async () => ({ guestbook: (await store.read()).latest === null ? "empty" : "ok" }),
          unanswered: { guestbook: "not known" },
        },
      ],
      gauges: [
        {
          helps: { souk_guestbook_signatures: "Signatures that are kept." },
          read: async () => ({ souk_guestbook_signatures: (await store.read()).signatures }),
        },
      ],
      jobs: () => [{ name: "trimming the guestbook", everyMs: 20, work: store.trim }],
      serve() {
        const guestbooks = createGuestbooks(infrastructure);
        return { services: {}, resolvers: [new GuestbookResolver(store, guestbooks)] };
      },
    };
  },
});
