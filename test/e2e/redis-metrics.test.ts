/** The time of calls to Redis, by structure, as /metrics shows it. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, it } from "vitest";
import { signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { createBuyer } from "../support/buyers.js";
import { metric, patiently, post } from "../support/graphql.js";
import { inbox, send } from "../support/notifications.js";
import { until } from "../support/until.js";

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 5 });
});
afterAll(() => app.close());

const STRUCTURES = [
  "session",
  "cart",
  "leaderboard",
  "attempts",
  "activity",
  "counters",
  "documents",
  "event-log",
  "rate-limiter",
  "cache",
];

/** What no breaker refuses. */
const DIRECT_CALLS = [
  "cache meet",
  "cache epoch",
  "cache listen",
  "cache track",
  "clock read",
  "condition look",
  "heartbeat beat",
  "heartbeat ping",
  "info read",
  "pubsub publish",
  "pubsub subscribe",
];

const callsOf = (what: string): Promise<number> =>
  metric(app.url, "souk_redis_round_trip_seconds_count", `what="${what}`);

it("Calls of every structure are measured.", async () => {
  const { url, adminToken: token } = app;
  const me = await signUp(url);
  const { data } = await patiently(() =>
    post(url, "{ products(first: 1) { edges { node { id } } } }"),
  );
  const id = String(data.products!.edges![0]!.node!.id);
  await createBuyer(url).add(id);
  await patiently(() => post(url, "{ activity(days: 1) { days { day } } }", {}, { token }));
  await post(
    url,
    'mutation { createLeaderboard(input: { slug: "a", title: "A" }) { errors { code } } }',
    {},
    { token },
  );
  await post(url, '{ leaderboard(slug: "a") { entries(first: 1) { edges { cursor } } } }');
  await post(url, "mutation($id: ID!) { trackView(productId: $id) { errors { code } } }", { id });
  await send(url, { userIds: [me.id] });
  await inbox(url, me.token);
  const text = "{ __typename }";
  const sha256Hash = createHash("sha256").update(text).digest("hex");
  await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      query: text,
      extensions: { persistedQuery: { version: 1, sha256Hash } },
    }),
  });
  for (const structure of STRUCTURES)
    await until(`${structure} to be measured`, async () => (await callsOf(`${structure} `)) > 0);
});

it("Calls that no breaker refuses are measured.", async () => {
  for (const what of DIRECT_CALLS)
    await until(`${what} to be measured`, async () => (await callsOf(`${what}"`)) > 0);
});
