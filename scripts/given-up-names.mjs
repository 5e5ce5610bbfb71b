/**
 * Names that were given up, each with the term to use instead. scripts/lint-words.mjs refuses them.
 * docs/glossary.md explains the terms.
 */

/** Identifiers of TypeScript and Lua: a whole one, or a pattern. */
export const IDENTIFIERS = [
  ["createAnnouncedWrite", "createWriteWithOutbox"],
  ["AnnouncedWrite", "WriteWithOutbox"],
  ["BoardKeeper", "LeaderboardRebuild"],
  ["Closing", "Disposer"],
  ["Doing", "ProductAction"],
  ["Floor", "Infrastructure"],
  ["KeyFamily", "KeySpec"],
  ["Lane", "ConflatedValue"],
  ["letInAgain", "admitSocketOperation"],
  ["Member", "Subscriber"],
  ["openFloor", "openInfrastructure"],
  ["Outlet", "SocketWriter"],
  ["Peer", "Connection"],
  ["refuseAtTheDoor", "rejectEarly"],
  ["tailOf", "framePayload"],
  ["takePlace", "reserveOperationId"],
  ["tellings", "reloads"],
  ["Ticket", "Cancellation"],
  ["unlessGivenUp", "unlessCancelled"],
  [/^MOST_|_MOST(?:_|$)/, "MAX"],
];

/** File and folder names, without what follows the first dot. */
export const FILES = [
  ["announced-write", "write-with-outbox"],
  ["board-changes", "throttled-publisher"],
  ["board-keeper", "rebuild"],
  ["closing", "disposer"],
  ["counter-trust", "reload"],
  ["counters-places", "keys"],
  ["door", "rate-limit and documents"],
  ["floor", "infrastructure"],
  ["gate", "admission"],
  ["peer", "connection"],
  ["refusal-memory", "rejection-cache"],
  ["repeat", "interval job (jobs/runner)"],
  ["score-places", "standings"],
  ["session-trust", "session-reload"],
  ["stats-news", "throttled-publisher"],
  ["ticket", "cancellation"],
  ["volatile-log", "event-log"],
  ["woken", "notified job (jobs/runner)"],
  [/-kit$/, "*.fixture.ts"],
  [/-broken$/, "*.self-test.ts"],
];
