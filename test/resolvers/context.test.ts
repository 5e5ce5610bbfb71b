import { describe, expect, it } from "vitest";
import { ANONYMOUS, type Principal, UNKNOWN } from "../../src/domain/account/principal.js";
import { RedisUnavailable } from "../../src/domain/errors.js";
import { ReadContext } from "../../src/domain/reading/read-context.js";
import type { Loaders } from "../../src/loaders/loaders.js";
import { createRequestContext } from "../../src/resolvers/context.js";
import { createGuests } from "../../src/services/account/guests.js";
import { TEST_CLIENT } from "../support/client.js";

/** A context that notes the readings its loaders are made for. */
function contextWithNotes() {
  const readings: ReadContext[] = [];
  const makeLoaders = (reading: ReadContext): Loaders => {
    readings.push(reading);
    return {} as Loaders;
  };
  const reading = new ReadContext({ seen: { count: 3, bypassUntilMs: 0 } });
  return {
    readings,
    reading,
    context: createRequestContext({
      requestId: "r",
      principal: ANONYMOUS,
      client: TEST_CLIENT,
      guest: createGuests("secret").admit(undefined),
      reading,
      makeLoaders,
    }),
  };
}

describe("the context of an operation", () => {
  it("Loaders are made on first use and kept until a write.", () => {
    const { context, readings } = contextWithNotes();
    expect(readings).toEqual([]);
    const { loaders } = context;
    expect(context.loaders).toBe(loaders);
    context.wrote({ count: 4, bypassUntilMs: 0 });
    expect(context.loaders).not.toBe(loaders);
    expect(readings.length).toBe(2);
  });

  it("The context keeps what it has seen: an older token raises nothing.", () => {
    const { context, reading } = contextWithNotes();
    context.wrote({ count: 9, bypassUntilMs: 0 });
    context.wrote({ count: 2, bypassUntilMs: 7 });
    expect(reading.seen).toEqual({ count: 9, bypassUntilMs: 7 });
  });

  it("A fresh read goes past the cache, and the report shows it.", () => {
    const { context, readings, reading } = contextWithNotes();
    context.fresh();
    expect(readings.map(({ bypass, seen }) => ({ bypass, seen }))).toEqual([
      { bypass: true, seen: { count: 3, bypassUntilMs: 0 } },
    ]);
    expect(reading.outcome?.status).toBe("BYPASS");
  });
});

describe("the owner of an operation", () => {
  const user = {
    kind: "user",
    userId: 7,
    userTag: "t",
    role: "CUSTOMER",
    sessionId: "s",
    leftMs: 1,
  } as const;
  const contextOf = (principal: Principal, guest = createGuests("secret").admit(undefined)) =>
    createRequestContext({
      requestId: "r",
      principal,
      client: TEST_CLIENT,
      guest,
      reading: new ReadContext(),
      makeLoaders: () => ({}) as Loaders,
    });

  it("A signed-in user is the owner, even where the client was a guest.", () => {
    const guest = createGuests("secret").admit(undefined);
    guest.ensure();
    const context = contextOf(user, guest);
    expect([context.owner(), context.writingOwner(), context.keptGuest]).toEqual([
      { kind: "user", userId: 7 },
      { kind: "user", userId: 7 },
      undefined,
    ]);
  });

  it("A write makes a guest and hands its token out; a read has no owner.", () => {
    const context = contextOf(ANONYMOUS);
    expect(context.owner()).toBeNull();
    const owner = context.writingOwner();
    expect(context.owner()).toEqual(owner);
    expect(context.keptGuest).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
  });

  it("Without a session look-up the owner is unknown and no guest is made.", () => {
    const context = contextOf(UNKNOWN);
    expect(() => context.owner()).toThrow(RedisUnavailable);
    expect(() => context.writingOwner()).toThrow(RedisUnavailable);
    expect(context.keptGuest).toBeUndefined();
  });
});
