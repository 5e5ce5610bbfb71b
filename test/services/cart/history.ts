/**
 * Random histories of two accounts and two guests, run on real carts beside the model. A step may
 * lose a reply on its way; its client sends it again until it is answered, as clients do with what
 * has an operation id or can be repeated.
 */
import fc from "fast-check";
import { expect } from "vitest";
import { type Owner, ownerName } from "../../../src/domain/account/guest.js";
import type { ProductRecord } from "../../../src/domain/catalogue/catalogue.js";
import { ServiceUnavailable } from "../../../src/domain/errors.js";
import { CART_DEADLINE_MS, type CartStore, createCartStore } from "../../../src/redis/cart/cart.js";
import type { RedisConnection } from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import {
  type CartOutcome,
  type Carts,
  createCarts,
  type Shopper,
} from "../../../src/services/cart/carts.js";
import { createCartMoves } from "../../../src/services/cart/move.js";
import { age, guest, user } from "../../redis/cart/cart.fixture.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";
import { until } from "../../support/until.js";
import { ModelCarts, type ModelOutcome, type ModelProduct } from "./model.js";

const PRODUCTS = 5;
const MISSING = 99;
const TTL_MS = 7 * 24 * 3_600_000;
const FOLLOWED_MS = 300_000;
const ACCOUNTS = [1, 2];
const GUESTS = ["g1", "g2"];
const OWNERS: readonly Owner[] = [...ACCOUNTS.map(user), ...GUESTS.map(guest)];

const some = <K extends string, T>(kind: K, rest: { [P in keyof T]: fc.Arbitrary<T[P]> }) =>
  fc.record({ ...rest, kind: fc.constant(kind) }) as unknown as fc.Arbitrary<T & { kind: K }>;
const rarely = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: rare });

const owner = fc.constantFrom(...OWNERS);
const existing = fc.integer({ min: 1, max: PRODUCTS });
const product = rarely(existing, fc.constantFrom(1, 2, MISSING));
const quantity = rarely(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0, -1, 998, 999, 1_000));
/** Which reply of a step is lost; 0: none. */
const lost = rarely(fc.constant(0), fc.integer({ min: 1, max: 3 }));
const signingIn = { guestId: fc.constantFrom(...GUESTS), userId: fc.constantFrom(...ACCOUNTS) };

/** What may happen. */
export const step = fc.oneof(
  {
    weight: 8,
    arbitrary: some("add", {
      owner,
      product,
      quantity,
      lost,
      operation: fc.constantFrom(null, null, "a", "b", "c"),
      times: fc.constantFrom(1, 1, 5),
    }),
  },
  {
    weight: 4,
    arbitrary: some("set", {
      owner,
      product,
      quantity,
      lost,
      expected: fc.constantFrom("any", "seen", "old"),
    }),
  },
  { weight: 1, arbitrary: some("clear", { owner, lost }) },
  {
    weight: 3,
    arbitrary: some("signIn", {
      ...signingIn,
      lost,
      times: fc.constantFrom(1, 5),
      by: fc.constantFrom("adopt", "read"),
    }),
  },
  {
    weight: 2,
    arbitrary: some("die", { ...signingIn, before: fc.constantFrom("merge", "moved") }),
  },
  { weight: 2, arbitrary: some("read", { owner, lost }) },
  { weight: 1, arbitrary: some("expire", { owner }) },
  { weight: 1, arbitrary: some("stopFollowing", { guestId: signingIn.guestId }) },
  {
    weight: 2,
    arbitrary: some("reprice", {
      product: existing,
      price: fc.constantFrom(100, 200),
      stock: fc.constantFrom(0, 3, 8, 5_000),
      removed: fc.constantFrom(false, false, false, true),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Kind<K extends Step["kind"]> = Extract<Step, { kind: K }>;

/** Where histories are run. */
export interface Place {
  /** Two processes. */
  readonly connections: readonly [RedisConnection, RedisConnection];
  /**
   * A third, whose replies can be lost: `lose` loses the nth from now on together with the
   * connection, until `end`. Null: none is.
   */
  readonly losing: {
    readonly connection: RedisConnection;
    lose(nth: number): { end(): Promise<void> };
  } | null;
}

/** Runs one history under keys of its own, and compares after each step. */
export async function runHistory(place: Place, keys: Keys, steps: readonly Step[]): Promise<void> {
  await new History(place, keys).run(steps);
}

class History {
  private readonly products = new Map<number, ModelProduct>();
  private readonly model = new ModelCarts(this.products);
  private readonly seen = new Map<string, { readonly version: number; readonly lines: string }>();
  private readonly stores: readonly [CartStore, CartStore];
  private readonly lossy: CartStore | null;
  private turn = 0;
  private operations = 0;

  constructor(
    private readonly place: Place,
    private readonly keys: Keys,
  ) {
    const open = (connection: RedisConnection) =>
      createCartStore(testCaller(connection, { deadlineMs: CART_DEADLINE_MS }), keys, {
        ttlMs: TTL_MS,
      });
    this.stores = [open(place.connections[0]), open(place.connections[1])];
    this.lossy = place.losing && open(place.losing.connection);
    for (let id = 1; id <= PRODUCTS; id++)
      this.products.set(id, { price: 100, stock: id === 1 ? 3 : 5_000, removed: false });
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of OWNERS) await this.compare(each);
    for (const one of steps) {
      await this.step(one);
      for (const each of OWNERS)
        if (!this.model.isPending(ownerName(each))) await this.compare(each);
    }
    for (const guestId of GUESTS) this.model.arrive(ownerName(guest(guestId)));
    for (const each of [...OWNERS].reverse()) await this.compare(each);
  }

  private step(one: Step): Promise<void> {
    switch (one.kind) {
      case "add":
        return this.add(one);
      case "set":
        return this.set(one);
      case "clear":
        return this.change(one, this.model.clear(ownerName(one.owner)), (carts, shopper) =>
          carts.clear(shopper, null),
        );
      case "signIn":
        return this.signIn(one);
      case "die":
        return this.die(one);
      case "read":
        this.model.arrive(ownerName(one.owner));
        return this.compare(one.owner, one.lost);
      case "expire":
        this.model.expire(ownerName(one.owner));
        return age(this.place.connections[0], this.keys.cart(ownerName(one.owner)), TTL_MS + 1);
      case "stopFollowing":
        return this.stopFollowing(guest(one.guestId));
      case "reprice":
        this.products.set(one.product, {
          price: one.price,
          stock: one.stock,
          removed: one.removed,
        });
        return Promise.resolve();
    }
  }

  /** An addition, sent several times at once under its operation, or once without. */
  private async add({ operation, times, ...one }: Kind<"add">): Promise<void> {
    this.operations += 1;
    // Only what has an id may be sent again.
    const operationId = operation ?? (one.lost > 0 || times > 1 ? `own-${this.operations}` : null);
    const expected = this.model.add(ownerName(one.owner), { ...one, operation: operationId });
    const input = { productId: one.product, quantity: one.quantity, operationId };
    const send = (reply: number) =>
      this.change({ ...one, lost: reply }, expected, (carts, shopper) => carts.add(shopper, input));
    await Promise.all([send(one.lost), ...Array.from({ length: times - 1 }, () => send(0))]);
  }

  private async set({ expected, ...one }: Kind<"set">): Promise<void> {
    const version = this.seen.get(ownerName(one.owner))?.version ?? 0;
    const expectedVersion = { any: null, seen: version, old: version - 1 }[
      expected as "any" | "seen" | "old"
    ];
    const outcome = this.model.set(ownerName(one.owner), {
      ...one,
      expected: expected as "any" | "seen" | "old",
    });
    const input = { productId: one.product, quantity: one.quantity, expectedVersion };
    // A version is not the seen one any more when a set is sent again.
    await this.change(
      { ...one, lost: expected === "any" ? one.lost : 0 },
      outcome,
      (carts, shopper) => carts.set(shopper, input),
    );
  }

  private async change(
    one: { readonly owner: Owner; readonly lost: number },
    expected: ModelOutcome,
    send: (carts: Carts, shopper: Shopper) => Promise<CartOutcome>,
  ): Promise<void> {
    const { errors, warnings } = await this.answered(one.lost, (carts) =>
      send(carts, this.shopper(one.owner)),
    );
    const outcome = {
      error: errors[0]?.code ?? null,
      clamped: warnings.some(({ code }) => code === "QUANTITY_CLAMPED"),
    };
    expect({ one, ...outcome }).toEqual({ one, ...expected });
  }

  private async signIn({ guestId, userId, by, ...one }: Kind<"signIn">): Promise<void> {
    this.model.signIn(ownerName(guest(guestId)), ownerName(user(userId)));
    const send = async (reply: number): Promise<void> => {
      let isGuest = true;
      const forgetGuest = () => {
        isGuest = false;
      };
      const shopper = { ...this.shopper(user(userId)), guest: guestId, forgetGuest };
      // A client that is still a guest afterwards shows it again.
      for (let tries = 0; isGuest && tries < 5; tries++) {
        await this.answered(
          tries === 0 ? reply : 0,
          async (carts) =>
            void (await (by === "adopt" ? carts.adopt(shopper, userId) : carts.read(shopper))),
        );
      }
      expect(isGuest).toBe(false);
    };
    await Promise.all([send(one.lost), ...Array.from({ length: one.times - 1 }, () => send(0))]);
  }

  /** A sign-in by a process that ends before a step of the move. */
  private async die({ guestId, userId, before }: Kind<"die">): Promise<void> {
    const name = ownerName(guest(guestId));
    this.model.seal(name, ownerName(user(userId)));
    if (before === "moved") this.model.arrive(name);
    const died = () => Promise.reject(new ServiceUnavailable("died"));
    const moves = createCartMoves({ ...this.stores[0], [before]: died }, testLog());
    await moves.adopt(guestId, userId, this.readProducts);
  }

  private async stopFollowing(one: Owner): Promise<void> {
    const name = ownerName(one);
    this.model.arrive(name);
    await this.compare(one);
    this.model.stopFollowing(name);
    // The cart itself is far from expiring.
    await age(this.place.connections[0], this.keys.cart(name), FOLLOWED_MS + 1);
  }

  private async compare(one: Owner, reply = 0): Promise<void> {
    const name = ownerName(one);
    const { record } = await this.answered(reply, (carts) => carts.read(this.shopper(one)));
    const lines = record.lines.map(({ productId, quantity: pieces, unitPrice }) => [
      productId,
      pieces,
      unitPrice,
    ]);
    expect([name, lines]).toEqual([name, this.model.lines(name)]);
    const now = { version: record.version, lines: JSON.stringify(lines) };
    const before = this.seen.get(name) ?? { version: 0, lines: "" };
    expect([
      name,
      now.version >= before.version + Number(now.lines !== before.lines),
      before,
      now,
    ]).toEqual([name, true, before, now]);
    this.seen.set(name, now);
  }

  /** Sends until there is an answer, the first time losing a reply. */
  private async answered<T>(reply: number, send: (carts: Carts) => Promise<T>): Promise<T> {
    const fault = reply > 0 ? this.place.losing?.lose(reply) : undefined;
    try {
      return await send(this.carts(fault ? this.lossy : null));
    } catch (error) {
      if (!fault || !(error instanceof ServiceUnavailable)) throw error;
    } finally {
      await fault?.end();
    }
    const { answer } = await until("an answer", async () => ({
      answer: await send(this.carts(null)),
    }));
    return answer;
  }

  private carts(store: CartStore | null): Carts {
    const chosen = store ?? this.stores[this.turn++ % 2 === 0 ? 0 : 1];
    return createCarts({ store: chosen, moves: createCartMoves(chosen, testLog()) });
  }

  private shopper(one: Owner): Shopper {
    return {
      owner: () => one,
      writingOwner: () => one,
      guest: null,
      cartAhead: null,
      forgetGuest() {},
      readProducts: this.readProducts,
    };
  }

  private readonly readProducts = async (
    ids: readonly number[],
  ): Promise<(ProductRecord | null)[]> =>
    ids.map((id) => {
      const known = this.products.get(id);
      return known ? ({ id, ...known } as unknown as ProductRecord) : null;
    });
}
