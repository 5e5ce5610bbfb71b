/** A subject of its own: what `src/app/<subject>.ts` is for the others. */
import { defineSubject } from "../../../src/app/module.js";
import { GuestbookResolver } from "./resolvers.js";
import { createGuestbooks, createSignatureKind, GUESTBOOK_TOPIC } from "./service.js";
import { createGuestbookStore } from "./store.js";

export const guestbook = defineSubject({
  name: "guestbook",
  resolvers: [GuestbookResolver],
  open({ infrastructure }) {
    const store = createGuestbookStore(infrastructure.requests, infrastructure.keyPrefix);
    return {
      topics: [GUESTBOOK_TOPIC.kind],
      outbox: [createSignatureKind(store)],
      jobs: () => [{ name: "trimming the guestbook", everyMs: 20, work: store.trim }],
      serve() {
        const guestbooks = createGuestbooks(infrastructure);
        return { services: {}, resolvers: [new GuestbookResolver(store, guestbooks)] };
      },
    };
  },
});
