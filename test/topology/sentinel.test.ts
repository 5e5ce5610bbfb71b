/** The shop on a Sentinel set, and through its failovers. */
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { type SignedIn, signIn, signUp, whoIs } from "../support/accounts.js";
import { contentsOf, createBuyer } from "../support/buyers.js";
import { patiently, post, readyz } from "../support/graphql.js";
import { follow, send } from "../support/notifications.js";
import { type RedisSentinel, startRedisSentinel } from "../support/redis-sentinel.js";
import { until } from "../support/until.js";
import { describeShop, PATIENT_MS, signedInRequests, startFleet } from "./scenarios.js";

let sentinel: RedisSentinel;
beforeAll(async () => {
  sentinel = await startRedisSentinel();
});
afterAll(() => sentinel.stop());

const redisUrl = () => sentinel.url;
const fleet = startFleet(redisUrl);
describeShop(fleet, redisUrl);

/** How the replica comes to be the primary. */
const FAILOVERS: readonly [string, () => Promise<unknown>][] = [
  ["that an operator asks for", () => sentinel.failover()],
  [
    "of a primary that hangs",
    async () => {
      const before = await sentinel.primary();
      await before.kill("SIGSTOP");
      await until("another primary", async () => (await sentinel.primary()) !== before);
    },
  ],
];

it.each(FAILOVERS)(
  "A failover %s refuses for a while, loses nothing replicated, and brings no session back.",
  async (_, failOver) => {
    const [here, there] = fleet.apps();
    const account = await signUp(here.url);
    const revoked = await signIn(there.url, account);
    const product = encodeId("Product", 3);
    await createBuyer(here.url, account).add(product, { quantity: 3 });
    const follower = await follow(there.wsUrl, account.token, "");
    await patiently(() =>
      post(here.url, "mutation { revokeOtherSessions { revoked } }", {}, { token: account.token }),
    );
    // A revocation that the replica lacks would end the kept session too: Postgres knows the rest.
    await sentinel.replicated();

    const traffic = requestsUntilStopped([account]);
    await failOver();
    const succeed = async () =>
      (await signedInRequests(fleet, [account], { count: 20, width: 2 })).length === 0;
    await until("requests to go on", succeed, PATIENT_MS);
    for (const { url } of fleet.apps()) {
      await until("the shop to be well", async () => (await readyz(url)).status === "ok");
      await until(
        "an answer about the session",
        async () => (await whoIs(url, revoked)) === "UNAUTHENTICATED",
      );
      await until("the account", async () => (await whoIs(url, account.token)) === account.email);
      expect(contentsOf(await createBuyer(url, account).cart())).toEqual({ [product]: 3 });
    }
    for (const code of await traffic.stop())
      expect(["SERVICE_UNAVAILABLE", "no viewer"]).toContain(code);
    await send(here.url, { userIds: [account.id], title: "after" });
    expect((await follower.next()).notification.title).toBe("after");
    await follower.socket.close();
  },
  PATIENT_MS,
);

/** Signed-in requests, one after another, until told; the codes of what failed. */
function requestsUntilStopped(accounts: readonly SignedIn[]) {
  let isOver = false;
  const failed: string[] = [];
  onTestFinished(() => {
    isOver = true;
  });
  const running = (async () => {
    while (!isOver)
      failed.push(...(await signedInRequests(fleet, accounts, { count: 4, width: 2 })));
  })();
  return {
    async stop(): Promise<readonly string[]> {
      isOver = true;
      await running;
      return failed;
    },
  };
}
