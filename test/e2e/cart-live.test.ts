/**
 * Carts on two API processes: live on every device, from guest to customer, and through an outage
 * of Redis.
 */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { createKeys } from "../../src/redis/client/keys.js";
import { openCarts } from "../redis/cart/cart.fixture.js";
import { connectSocket, type SocketClient } from "../server/websocket/socket-client.js";
import { SIGN_IN, signUp } from "../support/accounts.js";
import { type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import {
  type Buyer,
  CART_CHANGED,
  contentsOf,
  createBuyer,
  type SeenCart,
} from "../support/buyers.js";
import { patiently, post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { type PrivateRedis, startRedis } from "../support/redis-topology.js";
import { until } from "../support/until.js";

let database: TestDatabase;
let redis: PrivateRedis;
let apis: AppProcess[];
beforeAll(async () => {
  [database, redis] = await Promise.all([
    seededDatabase(20),
    startRedis({ args: ["--appendonly", "yes", "--appendfsync", "always"] }),
  ]);
  await database.database.query(sql`UPDATE products SET stock = 100000 WHERE id <= 5`);
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    // Sign-ins under way count as failed until they are known to be right.
    ...Object.fromEntries(
      ["FREE", "ACCOUNT_FREE", "ADDRESS_MAX", "NETWORK_MAX"].map((name) => [
        `SIGN_IN_${name}`,
        "1000",
      ]),
    ),
    SESSION_MAX: "100",
    CONFLATION_MS: "1",
    HEARTBEAT_MS: "200",
    // Each change under way holds the price of a full cart.
    LIMIT_VIEWER_BURST: "1000000",
    LIMIT_ADDRESS_BURST: "1000000",
    LIMIT_BLOCK_BURST: "1000000",
  };
  apis = await Promise.all([1, 2].map(() => startProcess(["dist/main.js", "--api"], env)));
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.end()));
  await redis.stop();
  await database.close();
});

const [A, B, C] = [1, 2, 3].map((key) => encodeId("Product", key)) as [string, string, string];
const buyer = (at: 0 | 1, options?: Parameters<typeof createBuyer>[1]): Buyer =>
  createBuyer(apis[at]!.url, options);

interface Frame {
  readonly data?: { readonly cartChanged: SeenCart } | null;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
  readonly extensions?: { readonly guest?: string };
}

/** Watches the cart of whoever the socket is opened as. */
async function watch(at: 0 | 1, init: object = {}) {
  const socket: SocketClient = await connectSocket(apis[at]!.wsUrl, init);
  socket.send({ id: "cart", type: "subscribe", payload: { query: CART_CHANGED } });
  const versions: number[] = [];
  const next = async (): Promise<Frame> => {
    const { type, payload } = await socket.next();
    if (type !== "next") return next();
    const frame = payload as Frame;
    if (frame.data) versions.push(frame.data.cartChanged.version);
    return frame;
  };
  /** Reads on until the cart holds this. */
  const until = async (wanted: Record<string, number>): Promise<SeenCart> => {
    for (;;) {
      const cart = (await next()).data?.cartChanged;
      if (cart && JSON.stringify(contentsOf(cart)) === JSON.stringify(wanted)) return cart;
    }
  };
  return { socket, next, until, versions, close: () => socket.close() };
}

describe("cartChanged", () => {
  it("It sends the cart at the start and after every change, to every device.", async () => {
    const account = await signUp(apis[0]!.url);
    const devices = await Promise.all(
      ([0, 1, 1] as const).map((at) => watch(at, { authorization: `Bearer ${account.token}` })),
    );
    for (const { next } of devices) expect((await next()).data?.cartChanged.lines).toEqual([]);
    await buyer(0, account).add(A, { quantity: 2 });
    for (const device of devices) await device.until({ [A]: 2 });
    await buyer(1, account).set(B, 3);
    await buyer(0, account).set(A, 1);
    const shown = await Promise.all(devices.map((device) => device.until({ [A]: 1, [B]: 3 })));
    expect(shown).toEqual(Array(3).fill(await buyer(1, account).cart()));
    await buyer(1, account).clear();
    for (const device of devices) {
      await device.until({});
      expect(device.versions).toEqual([...device.versions].sort((a, b) => a - b));
      await device.close();
    }
  });

  it("It makes a stranger a guest and tells the token, whose additions then come.", async () => {
    const watching = await watch(1);
    const { data, extensions } = await watching.next();
    expect(data?.cartChanged.lines).toEqual([]);
    const shopper = buyer(0, { guest: extensions?.guest ?? null });
    await shopper.add(A);
    await watching.until({ [A]: 1 });
    const other = await watch(0, { guest: shopper.guest });
    await other.until({ [A]: 1 });
    await Promise.all([watching.close(), other.close()]);
  });

  it("A subscriber of cartChanged hears of no other cart.", async () => {
    const [mine, theirs] = [await signUp(apis[0]!.url), await signUp(apis[0]!.url)];
    const watching = await watch(1, { authorization: `Bearer ${mine.token}` });
    await watching.next();
    await buyer(0, theirs).add(A);
    await buyer(0, mine).add(B);
    expect(contentsOf((await watching.next()).data!.cartChanged)).toEqual({ [B]: 1 });
    await watching.close();
  });
});

describe("a guest who signs in", () => {
  it("Signing in adds the cart to the account's on every device, and ends the guest.", async () => {
    const account = await signUp(apis[0]!.url);
    await buyer(0, account).add(A);
    const watching = await watch(1, { authorization: `Bearer ${account.token}` });
    await watching.until({ [A]: 1 });
    const shopper = buyer(0);
    await shopper.add(A, { quantity: 2 });
    await shopper.add(B);
    const guestsOwn = await watch(1, { guest: shopper.guest });
    await guestsOwn.until({ [A]: 2, [B]: 1 });
    const { headers } = await fetch(apis[1]!.url, {
      method: "POST",
      headers: { "content-type": "application/json", cookie: `souk_guest=${shopper.guest}` },
      body: JSON.stringify({
        query: SIGN_IN,
        variables: {
          input: { email: account.email, password: account.password, deliver: "TOKEN" },
        },
      }),
    });
    expect(
      headers.getSetCookie().filter((cookie) => cookie.startsWith("souk_guest=;")),
    ).toHaveLength(1);
    await watching.until({ [A]: 3, [B]: 1 });
    await guestsOwn.until({});
    await Promise.all([watching.close(), guestsOwn.close()]);
  });

  it("A guest who signs up finds the cart again.", async () => {
    const shopper = buyer(0);
    await shopper.add(C, { quantity: 4 });
    const input = {
      email: `${shopper.guest?.slice(0, 10)}@test.example`,
      password: "secret secret",
      name: "New",
      deliver: "TOKEN",
    };
    const { data } = await shopper.ask(
      "mutation S($input: SignUpInput!) { signUp(input: $input) { token } }",
      { input },
    );
    expect(contentsOf(await buyer(1, { token: String(data.signUp!.token) }).cart())).toEqual({
      [C]: 4,
    });
  });

  it("Fifty simultaneous sign-ins of one guest merge the cart once.", async () => {
    const account = await signUp(apis[0]!.url);
    const shopper = buyer(0);
    await shopper.add(A, { quantity: 3 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        patiently(() =>
          post(
            apis[at % 2]!.url,
            SIGN_IN,
            { input: { ...pick(account), deliver: "TOKEN" } },
            { headers: { "souk-guest": shopper.guest! } },
          ),
        ),
      ),
    );
    expect(answers.filter(({ data }) => data.signIn!.token)).toHaveLength(50);
    expect(contentsOf(await buyer(1, account).cart())).toEqual({ [A]: 3 });
  });

  it("Of 100 additions during a sign-in, each is in the account's cart once.", async () => {
    const account = await signUp(apis[0]!.url);
    const shopper = buyer(0);
    await shopper.add(A);
    const { guest } = shopper;
    const adding = Array.from({ length: 100 }, (_, at) =>
      buyer((at % 2) as 0 | 1, { guest }).add(A),
    );
    const signing = post(
      apis[1]!.url,
      SIGN_IN,
      { input: { ...pick(account), deliver: "TOKEN" } },
      { headers: { "souk-guest": guest! } },
    );
    const changes = await Promise.all(adding);
    await signing;
    expect(changes.flatMap(({ errors }) => errors)).toEqual([]);
    expect(contentsOf(await buyer(0, account).cart())).toEqual({ [A]: 101 });
  });

  it("An addition whose answer was lost counts once after the sign-in.", async () => {
    const account = await signUp(apis[0]!.url);
    const shopper = buyer(0);
    await shopper.add(A, { quantity: 2, operationId: "lost" });
    shopper.token = await signInAs(shopper, account);
    expect(contentsOf((await shopper.add(A, { quantity: 2, operationId: "lost" })).cart!)).toEqual({
      [A]: 2,
    });
  });
});

describe("a guest's token after the cart has moved", () => {
  it("A guest's token adds and sets in the account's cart without showing it.", async () => {
    const account = await signUp(apis[0]!.url);
    await buyer(0, account).add(C, { quantity: 7 });
    const shopper = buyer(0);
    await shopper.add(A);
    await signInAs(shopper, account);
    const late = await shopper.add(A, { quantity: 2 });
    expect([late.errors, late.warnings, late.cart?.lines]).toEqual([
      [],
      [{ code: "CART_MOVED", productId: null }],
      [],
    ]);
    expect((await shopper.set(B, 5)).cart?.lines).toEqual([]);
    expect((await shopper.cart()).lines).toEqual([]);
    expect(contentsOf(await buyer(1, account).cart())).toEqual({ [C]: 7, [A]: 3, [B]: 5 });
  });

  it("It clears nothing of the account's and changes nothing expected otherwise.", async () => {
    const account = await signUp(apis[0]!.url);
    const shopper = buyer(0);
    const { cart } = await shopper.add(A);
    await signInAs(shopper, account);
    const refused = [await shopper.clear(), await shopper.set(A, 0, cart!.version)];
    expect(refused.map(({ errors }) => errors[0]?.code)).toEqual(["CONFLICT", "CONFLICT"]);
    expect(contentsOf(await buyer(1, account).cart())).toEqual({ [A]: 1 });
  });

  it("A moved guest's token brings nothing to another account.", async () => {
    const [first, second] = [await signUp(apis[0]!.url), await signUp(apis[0]!.url)];
    const shopper = buyer(0);
    await shopper.add(A);
    await signInAs(shopper, first);
    await signInAs(shopper, second);
    expect(contentsOf(await buyer(1, second).cart())).toEqual({});
    expect(contentsOf(await buyer(1, first).cart())).toEqual({ [A]: 1 });
  });
});

describe("a process that died between sealing and merging", () => {
  /** What such a process leaves. */
  async function leaveSealed(mergeToo: boolean) {
    const account = await signUp(apis[0]!.url);
    const shopper = buyer(0);
    await shopper.add(A, { quantity: 3 });
    const { store } = await openCarts({ url: redis.url, keys: createKeys() });
    const userId = Number(Buffer.from(account.id, "base64url").toString().split(":")[1]);
    const { move, lines, operations } = await store.seal(shopper.guest!.split(".")[0]!, userId);
    if (mergeToo)
      await store.merge(
        move,
        lines.map((line) => ({ ...line, stock: 1_000 })),
        operations,
      );
    return { account, shopper };
  }
  const repairs: [string, (shopper: Buyer) => Promise<unknown>, Record<string, number>][] = [
    ["read of the guest", (shopper) => shopper.cart(), { [A]: 3 }],
    ["write of the guest", (shopper) => shopper.add(B), { [A]: 3, [B]: 1 }],
  ];
  it.each(repairs)(
    "The next %s completes an interrupted merge once.",
    async (_name, repair, wanted) => {
      for (const mergeToo of [false, true]) {
        const { account, shopper } = await leaveSealed(mergeToo);
        await Promise.all([repair(shopper), shopper.cart(), shopper.cart()]);
        expect(contentsOf(await buyer(1, account).cart())).toEqual(wanted);
      }
    },
  );

  it("The account's next read repairs it, on a client that still shows the guest.", async () => {
    const { account, shopper } = await leaveSealed(false);
    expect(
      contentsOf(await buyer(1, { token: account.token, guest: shopper.guest }).cart()),
    ).toEqual({ [A]: 3 });
  });

  it("The next sign-in completes an interrupted merge.", async () => {
    const { account, shopper } = await leaveSealed(false);
    await signInAs(shopper, account);
    expect(contentsOf(await buyer(1, account).cart())).toEqual({ [A]: 3 });
  });
});

describe("when Redis is down", () => {
  it("No cart is shown empty, everybody is told, and carts and merges return later.", async () => {
    const account = await signUp(apis[0]!.url);
    const [shopper, customer] = [buyer(0), buyer(0, account)];
    await shopper.add(A, { quantity: 2 });
    await customer.add(B);
    const watching = await watch(1, { guest: shopper.guest });
    await watching.until({ [A]: 2 });
    await redis.kill();
    for (const asking of [shopper, customer, buyer(1)]) {
      for (const operation of [
        "{ cart { version } }",
        `mutation { addToCart(productId: "${A}") { errors { code } } }`,
      ]) {
        expect((await asking.ask(operation)).errors?.[0]?.extensions.code).toBe(
          "SERVICE_UNAVAILABLE",
        );
      }
    }
    await redis.restart();
    await until("the carts", () => shopper.cart());
    expect(contentsOf(await shopper.cart())).toEqual({ [A]: 2 });
    expect(contentsOf(await until("the session", () => customer.cart()))).toEqual({ [B]: 1 });
    await shopper.add(C);
    await watching.until({ [A]: 2, [C]: 1 });
    await watching.close();
  });
});

const pick = ({ email, password }: { email: string; password: string }) => ({ email, password });

/** Signs a guest in; resolves to the token. */
async function signInAs(
  shopper: Buyer,
  account: { email: string; password: string },
): Promise<string> {
  const { data } = await shopper.ask(SIGN_IN, { input: { ...pick(account), deliver: "TOKEN" } });
  return String(data.signIn!.token);
}
