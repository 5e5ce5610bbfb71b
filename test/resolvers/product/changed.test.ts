import { describe, expect, it } from "vitest";
import { ANONYMOUS } from "../../../src/domain/account/principal.js";
import type { ProductRecord } from "../../../src/domain/catalogue/catalogue.js";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import type { Loaders } from "../../../src/loaders/loaders.js";
import { createRequestContext } from "../../../src/resolvers/context.js";
import { createEvents } from "../../../src/resolvers/events.js";
import { ProductSubscriptions } from "../../../src/resolvers/product/changed.js";
import { createGuests } from "../../../src/services/account/guests.js";
import type { Due, Live } from "../../../src/services/live/live.js";
import { TEST_CLIENT } from "../../support/client.js";

const subscription = new ProductSubscriptions("EUR");

function record(version: number): ProductRecord {
  const words = { sku: "S", name: "Thing", description: "", updatedAt: "2026-01-01T00:00:00.000Z" };
  return {
    ...words,
    id: 1,
    version,
    brandId: 1,
    categoryId: 1,
    price: 1,
    stock: 1,
    ratingSum: 0,
    ratingCount: 0,
    removed: false,
  };
}

/** A context whose cache holds one version and whose database another. */
function contextOver({ cached, stored }: { cached: number; stored: number }) {
  const reads: string[] = [];
  const makeLoaders = ({ bypass }: ReadContext): Loaders => {
    const load = async () => {
      reads.push(bypass ? "database" : "cache");
      return record(bypass ? stored : cached);
    };
    return { product: { load } } as unknown as Loaders;
  };
  return {
    reads,
    context: createRequestContext({
      requestId: "r",
      principal: ANONYMOUS,
      client: TEST_CLIENT,
      guest: createGuests("secret").admit(undefined),
      reading: new ReadContext(),
      makeLoaders,
    }),
  };
}

/** Reads one event the way a subscription does. */
async function versionOf(
  event: Due<number>,
  sent: Map<number, number>,
  versions: { cached: number; stored: number },
) {
  const { reads, context } = contextOver(versions);
  const { version } = await subscription.productChanged([], { ...event, sent }, context);
  return { version, reads, seen: context.reading.seen.count };
}

describe("an event of productChanged", () => {
  it("It is answered from a cache that holds what was announced and is as current.", async () => {
    const answer = await versionOf({ id: 1, seen: 12, version: 4 }, new Map(), {
      cached: 4,
      stored: 5,
    });
    expect(answer).toEqual({ version: "4", reads: ["cache"], seen: 12 });
  });

  it("It is read from the database, once, when the cache is older than announced.", async () => {
    const answer = await versionOf({ id: 1, seen: 12, version: 5 }, new Map(), {
      cached: 4,
      stored: 5,
    });
    expect(answer).toMatchObject({ version: "5", reads: ["cache", "database"] });
  });

  it("An event never goes back behind what the subscription was sent before.", async () => {
    const sent = new Map<number, number>();
    await versionOf({ id: 1, seen: 1, version: 0 }, sent, { cached: 7, stored: 7 });
    const answer = await versionOf({ id: 1, seen: 1, version: 0 }, sent, { cached: 6, stored: 8 });
    expect(answer).toMatchObject({ version: "8", reads: ["cache", "database"] });
  });
});

describe("the events of a subscription", () => {
  it("They share one memory, and end when the client leaves, even while waiting.", async () => {
    let released = false;
    const due: Due[] = [
      { id: 1, seen: 0, version: 0 },
      { id: 1, seen: 1, version: 1 },
    ];
    const watched: AsyncIterableIterator<Due> = {
      next: () => {
        const value = due.shift();
        return value ? Promise.resolve({ done: false, value }) : new Promise(() => {});
      },
      return: async () => {
        released = true;
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => watched,
    };
    const live = { watch: () => watched } as unknown as Live;
    const events = createEvents({ live, streams: {}, admission: {} })
      .subscribe("productChanged", [1])
      [Symbol.asyncIterator]() as AsyncIterator<{
      sent: Map<number, number>;
    }>;
    const [first, second] = [await events.next(), await events.next()];
    expect(first.value.sent).toBe(second.value.sent);
    void events.next();
    await events.return?.();
    expect(released).toBe(true);
  });
});
