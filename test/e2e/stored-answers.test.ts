/**
 * Stored answers over HTTP: what is stored, for whom, and until when. A repeated public query is
 * answered from bytes, and no client can tell, except by the header that says so.
 */
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { metric, post } from "../support/graphql.js";
import { until } from "../support/until.js";

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 30, env: { CACHE_REPORT: "request" } });
  await until("the local level to be on", async () => (await ask("{ categories { id } }")).ok);
});
afterAll(() => app.close());

interface Asked {
  readonly headers?: Record<string, string>;
  readonly variables?: Record<string, unknown>;
  readonly url?: string;
}

interface Told {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** The body without its cost. */
  readonly data: string;
  readonly hit: boolean;
}

async function ask(
  query: string,
  { headers, variables, url = app.url }: Asked = {},
): Promise<Told> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const body = await answer.text();
  return {
    ok: answer.ok,
    status: answer.status,
    headers: answer.headers,
    body,
    data: body.replace(/,"extensions":.*$/s, "}"),
    hit: answer.headers.get("cache-status") === "souk; hit",
  };
}

/** Asks until the answer comes from the store: a value may be due for its next load. */
async function warm(query: string, asked: Asked = {}): Promise<Told> {
  let told: Told | null = null;
  await until("a stored answer", async () => {
    told = await ask(query, asked);
    return told.hit;
  });
  return told as unknown as Told;
}

const PAGE = `query Page($first: Int!) {
  products(first: $first) {
    totalCount
    pageInfo { endCursor hasNextPage }
    edges { cursor node { id name price { amount currency } rating { average } category { name } } }
  }
}`;

it("The second asking stores an answer, and the third is answered from it.", async () => {
  let first = 7;
  const [before, second, third] = await until("three askings without a change", async () => {
    first += 1;
    const told: Told[] = [];
    for (let times = 0; times < 3; times += 1) told.push(await ask(PAGE, { variables: { first } }));
    // The worker may change something meanwhile, which ends the answer.
    return told.map(({ hit }) => hit).join() === "false,false,true" ? told : null;
  });
  expect(third!.data).toBe(before!.data);
  const costs = [second, third].map((told) => JSON.parse(told!.body).extensions.cost);
  expect(costs[1]).toMatchObject({ requested: costs[0].requested, actual: costs[0].actual });
  const without = (told: Told | undefined) =>
    Object.fromEntries(
      [...told!.headers].filter(
        ([name]) => !/^(date|x-request-id|ratelimit.*|cache-status|content-length)$/.test(name),
      ),
    );
  expect(without(third)).toEqual(without(second));
  expect(await metric(app.url, "souk_stored_answers_total", 'outcome="hit"')).toBeGreaterThan(0);
  expect(await metric(app.url, "souk_stored_answers_bytes")).toBeGreaterThan(third!.data.length);
});

it("Both media types get the same bytes, each under its own name.", async () => {
  const variables = { first: 6 };
  const json = await warm(PAGE, { variables });
  const accept = "application/graphql-response+json";
  const graphql = await warm(PAGE, { variables, headers: { accept } });
  expect(graphql.data).toBe(json.data);
  expect([json, graphql].map(({ headers }) => headers.get("content-type"))).toEqual([
    "application/json; charset=utf-8",
    "application/graphql-response+json; charset=utf-8",
  ]);
  const neither = await ask(PAGE, { variables, headers: { accept: "text/plain" } });
  expect([neither.status, neither.hit]).toEqual([406, false]);
});

it("A change ends the answers that show it, for its own client and all others.", async () => {
  const query = "query Some($id: ID!) { product(id: $id) { name stock } }";
  const { data } = await post(app.url, "{ products(first: 1) { edges { node { id } } } }");
  const id = String((data.products!.edges as unknown as [{ node: { id: string } }])[0].node.id);
  const before = await warm(query, { variables: { id } });
  const adjusted = await ask(
    "mutation ($id: ID!) { adjustStock(id: $id, by: 1) { errors { code } } }",
    { variables: { id }, headers: { authorization: `Bearer ${app.adminToken}` } },
  );
  const seen = adjusted.headers.get("souk-seen") ?? "";
  const own = await ask(query, { variables: { id }, headers: { "souk-seen": seen } });
  const stock = JSON.parse(before.data).data.product.stock;
  expect(JSON.parse(own.data).data.product.stock).toBe(stock + 1);
  await until("another client to see it", async () => {
    const other = await ask(query, { variables: { id } });
    return JSON.parse(other.data).data.product.stock === stock + 1;
  });
});

it("A signed-in client gets public answers from the store, and pays from its own bucket.", async () => {
  const variables = { first: 5 };
  await warm(PAGE, { variables });
  const { token } = await signUp(app.url);
  const mine = await warm(PAGE, { variables, headers: { authorization: `Bearer ${token}` } });
  expect(mine.headers.get("ratelimit")).toMatch(/^"viewer"/);
});

it("A part ends with the first change that it shows, for its writer at once.", async () => {
  const query = "query Mine($id: ID!) { viewer { user { name } } product(id: $id) { name stock } }";
  const edges = JSON.parse((await ask(PAGE, { variables: { first: 2 } })).body).data.products.edges;
  const { id } = edges[1].node;
  const { token } = await signUp(app.url);
  const headers = { authorization: `Bearer ${token}` };
  const hits = () => metric(app.url, "souk_stored_answers_total", 'outcome="hit"');
  const stockOf = ({ body }: Told): number => JSON.parse(body).data.product.stock;
  await until("a part from the store", async () => {
    const before = await hits();
    await ask(query, { variables: { id }, headers });
    return (await hits()) > before;
  });
  const before = stockOf(await ask(query, { variables: { id }, headers }));
  const change = await ask(
    "mutation ($id: ID!) { adjustStock(id: $id, by: 7) { errors { code } } }",
    { variables: { id }, headers: { authorization: `Bearer ${app.adminToken}` } },
  );
  const seen = change.headers.get("souk-seen") ?? "";
  const writer = await ask(query, {
    variables: { id },
    headers: { ...headers, "souk-seen": seen },
  });
  expect(stockOf(writer)).toBe(before + 7);
  await until("the new stock for others", async () => {
    return stockOf(await ask(query, { variables: { id }, headers })) === before + 7;
  });
});

it("Each stored answer that is sent counts as one hit, for signed-in clients too.", async () => {
  const variables = { first: 5 };
  const { token } = await signUp(app.url);
  for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
    await warm(PAGE, { variables, headers });
    const counted = () => metric(app.url, "souk_stored_answers_total", 'outcome="hit"');
    const before = await counted();
    let sent = 0;
    for (let times = 0; times < 20; times += 1)
      if ((await ask(PAGE, { variables, headers })).hit) sent += 1;
    expect((await counted()) - before).toBe(sent);
  }
});

it("An invalid token is refused, whatever is stored.", async () => {
  const variables = { first: 4 };
  await warm(PAGE, { variables });
  const answers = await Promise.all(
    [PAGE, "query Other { brands(first: 3) { totalCount } }"].map((query) =>
      ask(query, { variables, headers: { authorization: "Bearer nonsense" } }),
    ),
  );
  for (const { status, headers, body } of answers) {
    expect([status, headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(JSON.parse(body).errors[0].extensions.code).toBe("UNAUTHENTICATED");
  }
});

it.each([
  ["counters", "query ($id: ID!) { product(id: $id) { stats { views } } }"],
  ["the viewer", "{ viewer { user { name } } }"],
  ["a leaderboard", "{ leaderboards(first: 1) { totalCount } }"],
  ["limits", "{ rateLimit { remaining } }"],
])("An answer that shows %s is never stored.", async (_, query) => {
  const { data } = await post(app.url, "{ products(first: 1) { edges { node { id } } } }");
  const id = (data.products!.edges as unknown as [{ node: { id: string } }])[0].node.id;
  for (let round = 0; round < 4; round += 1)
    expect((await ask(query, { variables: { id } })).hit).toBe(false);
});

it("A report of the cache is made by execution, never from the store.", async () => {
  const variables = { first: 3 };
  await warm(PAGE, { variables });
  const reported = await ask(PAGE, { variables, headers: { "souk-cache-report": "1" } });
  expect(reported.hit).toBe(false);
  expect(JSON.parse(reported.body).extensions.cache).toMatchObject({ status: "HIT" });
});

/** An app whose cache has no local level; no bucket restores anything meanwhile. */
async function startWithoutLocalLevel(env: Record<string, string>): Promise<RunningApp> {
  const other = await startApp({
    products: 30,
    env: {
      CACHE_REPORT: "request",
      CACHE_LOCAL_BYTES: "0",
      LIMIT_ADDRESS_PER_SECOND: "0.001",
      ...env,
    },
    // Its changes would end answers.
    roles: { api: true, worker: false },
  });
  onTestFinished(() => other.close());
  return other;
}

it("Without the local level Redis is asked whether a stored answer is current.", async () => {
  const other = await startWithoutLocalLevel({ LIMIT_ADDRESS_BURST: "50000" });
  const { url } = other;
  const query = "query Some($id: ID!) { product(id: $id) { name stock } }";
  const { data } = await post(url, "{ products(first: 1) { edges { node { id } } } }");
  const id = String((data.products!.edges as unknown as [{ node: { id: string } }])[0].node.id);
  const asked = { url, variables: { id } };
  const stockOf = (told: Told): number => JSON.parse(told.data).data.product.stock;
  const stock = stockOf(await warm(query, asked));
  const remainingOf = ({ body }: Told): number =>
    Math.round(JSON.parse(body).extensions.cost.remaining);
  const costOf = ({ body }: Told): number => JSON.parse(body).extensions.cost.actual;
  const adjusted = await ask(
    "mutation ($id: ID!) { adjustStock(id: $id, by: 1) { errors { code } } }",
    { ...asked, headers: { authorization: `Bearer ${other.adminToken}` } },
  );
  // A document is paid for when it is read first.
  await ask("{ __typename }", asked);
  const before = await ask("{ __typename }", asked);
  // The stored answer is found, is outdated, and is charged once with its execution.
  const own = await ask(query, {
    ...asked,
    headers: { "souk-seen": adjusted.headers.get("souk-seen") ?? "" },
  });
  expect([own.hit, stockOf(own)]).toEqual([false, stock + 1]);
  const after = await ask("{ __typename }", asked);
  expect(remainingOf(before) - remainingOf(after)).toBe(costOf(own) + costOf(after));
  expect(stockOf(await warm(query, asked))).toBe(stock + 1);
  const { token } = await signUp(url);
  const headers = { authorization: `Bearer ${token}` };
  const mine = await ask(query, { ...asked, headers });
  expect([mine.hit, mine.headers.get("ratelimit")]).toEqual([
    true,
    expect.stringMatching(/^"viewer"/),
  ]);
});

it("Near a limit an answer that Redis confirms costs what it costs elsewhere.", async () => {
  const other = await startWithoutLocalLevel({ LIMIT_COST: "2000", LIMIT_ADDRESS_BURST: "2000" });
  const { url } = other;
  const query = "query Some($n: Int!) { products(first: $n) { edges { node { id name stock } } } }";
  const all = { url, variables: { n: 100 } };
  const costOf = ({ body }: Told) => JSON.parse(body).extensions.cost;
  let last = await warm(query, all);
  while (costOf(last).remaining >= costOf(last).requested) last = await ask(query, all);
  // Executed, it may cost too much, and the payer is refused for it.
  expect((await ask(query, { url, variables: { n: 99 } })).status).toBe(429);
  const stored = await ask(query, all);
  expect([stored.status, stored.hit]).toEqual([200, true]);
  const { id } = JSON.parse(last.data).data.products.edges[0].node;
  await ask("mutation ($id: ID!) { adjustStock(id: $id, by: 1) { errors { code } } }", {
    url,
    variables: { id },
    headers: { authorization: `Bearer ${other.adminToken}` },
  });
  // A document is paid for when it is read first.
  await ask("{ __typename }", all);
  const before = await ask("{ __typename }", all);
  // The answer is outdated, and its execution is refused: nothing was paid.
  const refused = await ask(query, all);
  expect([refused.status, JSON.parse(refused.body).extensions]).toEqual([429, undefined]);
  let paid = 0;
  await until("all that was held to be given back", async () => {
    const after = await ask("{ __typename }", all);
    paid += costOf(after).actual;
    return Math.round(costOf(before).remaining - costOf(after).remaining) === paid;
  });
});

it("Clients that ask the same at once share at most two executions.", async () => {
  const hits = () => metric(app.url, "souk_stored_answers_total", 'outcome="hit"');
  let first = 11;
  await until("fifty askings without a change", async () => {
    first += 1;
    const variables = { first };
    // The values are in the cache, and no answer with them is stored.
    for (const name of ["A", "B"]) await ask(PAGE.replace("Page", name), { variables });
    const before = await hits();
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(PAGE, { variables })));
    expect(new Set(answers.map(({ data }) => data)).size).toBe(1);
    return (await hits()) - before >= 48;
  });
});
