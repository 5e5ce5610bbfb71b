/**
 * What a caller is told of a view or a share that Redis did not confirm, and what a repeat of it
 * counts.
 */
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ReadContext } from "../../src/domain/reading/read-context.js";
import { createKeys } from "../../src/redis/client/keys.js";
import {
  type CounterKit,
  openCounterKit,
  stockProducts,
} from "../redis/counters/counters.fixture.js";
import { createProxy, type FaultyProxy } from "../support/faults.js";
import { type TestDatabase, testDatabase } from "../support/postgres.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await stockProducts(db.database, 100);
});
afterAll(() => db.close());

let products = 0;

interface Place {
  readonly server: RedisServer;
  readonly proxy: FaultyProxy;
  readonly kit: CounterKit;
}

/** A row: what goes wrong, whether the event may have been counted, and what ends the fault. */
interface Fault {
  readonly name: string;
  readonly mayBeCounted: boolean;
  begin(place: Place): Promise<unknown>;
  end(place: Place): Promise<unknown>;
}

const FAULTS: readonly Fault[] = [
  {
    name: "the reply is late",
    mayBeCounted: true,
    begin: async ({ proxy }) => proxy.delay(1_500),
    end: ({ proxy }) => proxy.restore(),
  },
  {
    name: "the link falls silent",
    mayBeCounted: true,
    begin: async ({ proxy }) => proxy.blackHole(),
    end: ({ proxy }) => proxy.restore(),
  },
  {
    name: "the connection breaks before the reply",
    mayBeCounted: true,
    async begin({ proxy }) {
      const { dropped } = proxy.dropReplies(1);
      void dropped.then(() => proxy.hangUp());
    },
    end: ({ proxy }) => proxy.restore(),
  },
  {
    name: "there is no connection",
    mayBeCounted: false,
    async begin({ proxy, kit }) {
      await proxy.cut();
      await until("the connection to be lost", async () => kit.connection.status !== "ready");
    },
    end: ({ proxy }) => proxy.restore(),
  },
  {
    name: "Redis is full",
    mayBeCounted: false,
    begin: ({ kit }) => kit.connection.config("SET", "maxmemory", "1"),
    end: ({ kit }) => kit.connection.config("SET", "maxmemory", "0"),
  },
];

const EVENTS = ["view", "share"] as const;
const ROWS = FAULTS.flatMap((fault) =>
  EVENTS.flatMap((event) =>
    [undefined, "the same"].map((operationId) => ({ fault, event, operationId })),
  ),
);

async function openPlace(): Promise<Place> {
  const server = await startRedisServer();
  const proxy = await createProxy({
    target: { host: "127.0.0.1", port: Number(new URL(server.url).port) },
  });
  onTestFinished(() => proxy.close());
  const url = `redis://127.0.0.1:${proxy.port}`;
  const kit = await openCounterKit({
    url,
    keys: createKeys(),
    database: db.database,
    deadlineMs: 500,
  });
  return { server, proxy, kit };
}

test.each(ROWS)(
  "The error of a $event says what is known when $fault.name (operationId: $operationId).",
  async (row) => {
    const { fault, event, operationId } = row;
    const place = await openPlace();
    const { kit } = place;
    const id = ++products;
    const send = () =>
      event === "view" ? kit.view(id, "ada", operationId) : kit.share(id, operationId);
    // The first event loads what the product needs, so that the fault meets the event alone.
    await (event === "view" ? kit.view(id, "bob") : kit.share(id));

    await fault.begin(place);
    const error = await send().then(
      () => null,
      (failure: Error & { code: string }) => failure,
    );
    await fault.end(place);

    expect(error).toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    expect(error?.message).toMatch(
      fault.mayBeCounted ? /^It may have been counted or not\./ : /^Nothing was counted\./,
    );
    if (fault.mayBeCounted)
      expect(error?.message.includes("it counts once.")).toBe(operationId !== undefined);
    await until("Redis to answer again", () =>
      kit.connection.ping().then(
        () => true,
        () => false,
      ),
    );
    const counted = async () =>
      (await kit.counters.read([{ productId: id, period: "all" }], new ReadContext()))[0]?.[
        `${event}s`
      ] ?? 0;
    if (!fault.mayBeCounted)
      await until("nothing to be counted", async () => (await counted()) === 1);
    if (operationId === undefined) return;
    await until("a repeat to be answered", () =>
      send().then(
        () => true,
        () => false,
      ),
    );
    await send();
    expect(await counted()).toBe(2);
  },
);
