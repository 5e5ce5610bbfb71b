/**
 * Documents that are hard to validate: each is refused for itself, alike on both transports, and
 * nothing else ends with it.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { buildSchema } from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REFUSED_COST } from "../../src/services/rate-limit/admission.js";
import type { Limits } from "../../src/services/rate-limit/limits.js";
import { type Answer, startServer, type TestServer } from "../server/test-server.js";
import { ask, connectSocket, type SocketClient } from "../server/websocket/socket-client.js";

const codesOf = ({ errors }: Answer) => [
  ...new Set((errors ?? []).map(({ extensions }) => extensions.code)),
];

const SUBSCRIPTIONS: readonly string[] = [
  'productChanged(ids: ["UHJvZHVjdDox"]) % { version }',
  'productStatsChanged(productId: "UHJvZHVjdDox") % { __typename }',
  "cartChanged % { __typename }",
  'leaderboardChanged(slug: "a") % { __typename }',
  "notificationReceived % { __typename }",
];

/**
 * Directives on the root field of a subscription that cannot be decided without variables, or are
 * wrong.
 */
const DIRECTIVES: readonly string[] = [
  "@include(if: $b)",
  "@skip(if: $b)",
  "@include",
  "@skip",
  "@include(if: null)",
  '@skip(if: "yes")',
  "@include(if: 1)",
  "@include(if: [true])",
  "@include(if: $b, if: true)",
  "@include(unless: true)",
  "@include(if: $unknown)",
  "@include(if: true) @skip(if: $b)",
  "@include(if: false)",
  "@skip(if: true)",
  "@include(if: true) @skip(if: true)",
];

const field = (directives: string, at = 0) => (SUBSCRIPTIONS[at] ?? "").replace("%", directives);
const DECLARED = "subscription S($b: Boolean = true)";

/** Roots that hold the field within something else. */
const ROOTS: readonly string[] = [
  `${DECLARED} { ... @include(if: $b) { ${field("")} } }`,
  `${DECLARED} { ... on Subscription @skip(if: $b) { ${field("")} } }`,
  `${DECLARED} { ...F @include(if: $b) } fragment F on Subscription { ${field("")} }`,
  `${DECLARED} { ...F } fragment F on Subscription { ${field("@include(if: $b)")} }`,
  `${DECLARED} { ...F } fragment F on Subscription { ...G @skip(if: $b) } fragment G on ` +
    `Subscription { ${field("")} }`,
  `${DECLARED} { ...F } fragment F on Subscription { ...F @include(if: $b) }`,
  `${DECLARED} { ...Missing @include(if: $b) }`,
  `subscription { ... @include(if: false) { ${field("")} } }`,
  `subscription { ...F @skip(if: true) } fragment F on Subscription { ${field("")} }`,
  `subscription { ...F } fragment F on Subscription { ${field("@include(if: false)")} }`,
  `query Q { __typename } ${DECLARED} { ${field("@include(if: $b)")} }`,
  `mutation M { __typename } subscription { ... @include(if: false) { ${field("")} } }`,
  "subscription { __typename }",
  `subscription { a: ${field("")} b: ${field("")} }`,
];

const REFUSED: readonly string[] = [
  ...SUBSCRIPTIONS.flatMap((_, at) =>
    DIRECTIVES.map((directives) => `${DECLARED} { ${field(directives, at)} }`),
  ),
  ...ROOTS,
];

describe("A document that a rule cannot decide is refused as invalid, under its id alone.", () => {
  let souk: TestServer;
  let client: SocketClient;
  beforeAll(async () => {
    souk = await startServer(
      {},
      { schema: buildSchema(readFileSync("src/schema/schema.graphql", "utf8")) },
    );
    client = await connectSocket(souk.live);
  });
  afterAll(() => souk.close());

  test.each(REFUSED)("The document is refused: %s", async (query) => {
    for (const variables of [undefined, { b: true }, { b: false }]) {
      const payload = { query, variables };
      expect(codesOf(await ask(client, payload))).toEqual(["GRAPHQL_VALIDATION_FAILED"]);
      const { status, body } = await souk.post(payload);
      expect([status, codesOf(body)]).toEqual([400, ["GRAPHQL_VALIDATION_FAILED"]]);
    }
    expect(client.socket.readyState).toBe(1);
  });

  test.each(
    SUBSCRIPTIONS.map(
      (_, at) => `subscription { ${field("@include(if: true) @skip(if: false)", at)} }`,
    ),
  )("A literal condition leaves a subscription valid: %s", async (query) =>
    expect(codesOf((await souk.post({ query })).body)).toEqual(["METHOD_NOT_ALLOWED"]),
  );
});

/** Parts of documents, with directives wherever one may stand. */
function documents(): fc.Arbitrary<{
  query: string;
  variables: Record<string, unknown>;
  operationName?: string;
}> {
  const directive = fc.constantFrom(
    ...DIRECTIVES,
    ...Array.from({ length: 60 }, () => ""),
    "@include(if: true)",
    "@skip(if: false)",
    "@deprecated",
    "@nope",
  );
  const leaf = fc.constantFrom(
    "hello",
    "seen",
    "__typename",
    "a: hello",
    'echo(text: "a")',
    "category { id }",
    "products { name }",
  );
  const root = fc.constantFrom(
    "ticks(times: 1) { number }",
    "ticks { context }",
    "__typename",
    "t: ticks { number }",
    "nope",
  );
  const kind = fc.constantFrom("query", "mutation", "subscription", "subscription", "subscription");
  const inside = (type: string) =>
    type === "query" ? leaf : type === "mutation" ? fc.constant('write(text: "a")') : root;
  const named = { query: "Query", mutation: "Mutation", subscription: "Subscription" } as const;
  const withDirective = (field: string, text: string) =>
    field.includes("{") ? field.replace(" {", ` ${text} {`) : `${field} ${text}`;
  return kind.chain((of) => {
    const on = named[of as keyof typeof named];
    const one = fc
      .tuple(inside(of), directive)
      .map(([selected, text]) => withDirective(selected, text));
    const item = fc.oneof(
      { weight: 3, arbitrary: one },
      {
        weight: 1,
        arbitrary: fc.tuple(directive, one).map(([text, inner]) => `... ${text} { ${inner} }`),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(directive, one)
          .map(([text, inner]) => `... on ${on} ${text} { ${inner} }`),
      },
      { weight: 1, arbitrary: directive.map((text) => `...F ${text}`) },
    );
    const body = fc.array(item, { minLength: 1, maxLength: 2 }).map((items) => items.join(" "));
    const fragment = fc
      .tuple(directive, item)
      .map(([text, inner]) => `fragment F on ${on} ${text} { ${inner} }`);
    const declared = fc.constantFrom(
      "($b: Boolean!)",
      "($b: Boolean = true)",
      "($b: Boolean)",
      "($b: String)",
    );
    const other = fc.constantFrom(
      "",
      "",
      "",
      "",
      "",
      "",
      "query Other { hello }",
      "subscription Other($b: Boolean!) { ticks @include(if: $b) { number } }",
    );
    const value = fc.constantFrom<unknown>(true, false, null, "true", 1, [], {});
    const variables = fc.oneof(
      fc.constant({}),
      value.map((b) => ({ b })),
    );
    const operationName = fc.constantFrom(
      undefined,
      undefined,
      "",
      "One",
      "One",
      "Other",
      "constructor",
    );
    return fc
      .tuple(declared, directive, body, fragment, other, variables, operationName)
      .map(([variable, text, selections, written, more, values, name]) => {
        const used = `${text} { ${selections} } ${selections.includes("...F") ? written : ""}`;
        return {
          query: `${of} One${used.includes("$b") ? variable : ""} ${used} ${more}`,
          variables: values,
          ...(name !== undefined && { operationName: name }),
        };
      });
  });
}

describe("A document with directives everywhere is answered alike on both transports.", () => {
  const DOCUMENTS = 400;
  const SEED = 20_261_129;
  const DEADLINE_MS = 600_000;

  test("No document is INTERNAL_SERVER_ERROR, or closes its socket.", {
    timeout: DEADLINE_MS,
  }, async () => {
    const souk = await startServer({ LIMIT_SOCKET_MESSAGES_PER_SECOND: "1e6" });
    const client = await connectSocket(souk.live);
    const counts = { refused: 0, answered: 0, subscribed: 0 };
    for (const payload of fc.sample(documents(), { numRuns: DOCUMENTS, seed: SEED })) {
      const socket = await ask(client, payload);
      const { status, body, text } = await souk.post(payload);
      const shown = JSON.stringify({ payload, status, text, socket });
      const isSubscribed = codesOf(body).includes("METHOD_NOT_ALLOWED");
      expect(codesOf(body), shown).not.toContain("INTERNAL_SERVER_ERROR");
      expect(codesOf(socket), shown).not.toContain("INTERNAL_SERVER_ERROR");
      if (!isSubscribed) expect(codesOf(socket), shown).toEqual(codesOf(body));
      if (isSubscribed) counts.subscribed++;
      else if (body.errors) counts.refused++;
      else counts.answered++;
    }
    // A generator of one outcome alone would show nothing.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(DOCUMENTS / 50);
    await client.close();
    await souk.close();
  });
});

describe("A subscription over HTTP is refused with METHOD_NOT_ALLOWED, before it runs.", () => {
  let souk: TestServer;
  beforeAll(async () => {
    souk = await startServer();
  });
  afterAll(() => souk.close());

  const TICKS = "subscription T { ticks { number } }";
  const search = (parameters: Record<string, string>) =>
    `${souk.graphql}?${new URLSearchParams(parameters)}`;
  const get = (parameters: Record<string, string>) =>
    fetch(search(parameters), { headers: { "apollo-require-preflight": "1" } });
  const post = (body: object) =>
    fetch(souk.graphql, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  const WAYS: readonly [string, () => Promise<Response>][] = [
    ["a POST", () => post({ query: TICKS })],
    [
      "a POST that names it",
      () => post({ query: `${TICKS} query Q { hello }`, operationName: "T" }),
    ],
    ["a POST with null for a name", () => post({ query: TICKS, operationName: null })],
    ["a GET", () => get({ query: TICKS })],
    ["a GET with an empty name", () => get({ query: TICKS, operationName: "" })],
    ["a GET of what ends at once", () => get({ query: "subscription { refused }" })],
  ];
  test.each(WAYS)("It is refused by %s.", async (_way, send) => {
    const answer = await send();
    const { errors } = (await answer.json()) as Answer;
    expect([answer.status, answer.headers.get("allow"), errors?.[0]?.extensions.code]).toEqual([
      405,
      "GET",
      "METHOD_NOT_ALLOWED",
    ]);
    expect(errors?.[0]?.message).toContain("WebSocket");
    expect(souk.sources.open).toBe(0);
  });

  test("Its hash is refused too, by POST and GET, once a socket has sent both.", async () => {
    const sha256Hash = createHash("sha256").update(TICKS).digest("hex");
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    const client = await connectSocket(souk.live);
    await client.run({ query: TICKS, extensions });
    await client.close();
    const named = [
      post({ extensions }),
      post({ documentId: `sha256:${sha256Hash}` }),
      get({ extensions: JSON.stringify(extensions) }),
    ];
    for (const answer of await Promise.all(named)) expect(answer.status).toBe(405);
  });

  test("It is charged as a refusal, not as an operation that runs.", async () => {
    const charged: number[] = [];
    const owed: number[] = [];
    const limits: Limits = {
      check: () => {},
      owe: (_payer, cost) => void owed.push(cost),
      recentlyRejected: () => false,
      takeCredit: () => null,
      async charge(_payer, charge) {
        charged.push(charge.cost);
        return { charge, buckets: [], settle: () => undefined };
      },
    };
    const counting = await startServer({}, { limits });
    expect((await counting.post({ query: TICKS })).status).toBe(405);
    // It was read as well.
    expect([charged, owed]).toEqual([[], [REFUSED_COST + 1]]);
    await counting.close();
  });

  test("Another operation of its document runs.", async () => {
    expect(
      (await souk.post({ query: `${TICKS} query Q { hello }`, operationName: "Q" })).body,
    ).toEqual({ data: { hello: "Hello world" } });
  });
});

describe("A request is charged and reported, whatever is wrong with it.", () => {
  const charged: number[] = [];
  const limits: Limits = {
    check: () => {},
    recentlyRejected: () => false,
    takeCredit: () => null,
    owe: (_payer, cost) => void charged.push(cost),
    async charge(_payer, charge) {
      charged.push(charge.cost);
      return { charge, buckets: [], settle: () => undefined };
    },
  };
  let souk: TestServer;
  let client: SocketClient;
  beforeAll(async () => {
    souk = await startServer(
      { LIMIT_COST: "100", ANSWER_MAX_BYTES: String(128 * 1024) },
      { limits },
    );
    client = await connectSocket(souk.live);
  });
  afterAll(async () => {
    await client.close();
    await souk.close();
  });

  const LONG = "a".repeat(129);
  const PAYLOADS: Readonly<Record<string, Record<string, unknown>>> = {
    "nothing wrong": { query: "{ hello }" },
    "a syntax error": { query: "{ hello" },
    "an unknown field": { query: "{ nope }" },
    "a rule that throws": { query: `${DECLARED} { ticks @include(if: $b) { number } }` },
    "a long name": { query: `{ ${LONG} }` },
    "a long operationName": { query: "{ hello }", operationName: LONG },
    "a long documentId": { query: "", documentId: "a".repeat(300) },
    "an unknown documentId": { query: "", documentId: "unknown" },
    "a hash of another document": {
      query: "{ hello }",
      extensions: { persistedQuery: { version: 1, sha256Hash: "0".repeat(64) } },
    },
    "an unknown operation": { query: "query A { hello } query B { hello }", operationName: "C" },
    "two operations and no name": { query: "query A { hello } query B { hello }" },
    "a wrong variable": { query: "query($n: Int!) { page(first: $n) }", variables: { n: "one" } },
    "a text with half a character": {
      query: '{ echo(text: "\\ud800") }',
      variables: { a: "\ud800" },
    },
    "a price above the limit": {
      query: "query($n: Int) { products(first: $n) { id } }",
      variables: { n: 101 },
    },
    "an answer that is too large": { query: `{ text(characters: ${256 * 1024}) }` },
  };

  const reported = async () =>
    [
      ...(await souk.metrics.render()).text.matchAll(/souk_operation_seconds_count\{.*\} (\d+)/g),
    ].reduce((sum, [, count]) => sum + Number(count), 0);
  /** Bodies that are no requests at all. */
  const BODIES: Readonly<Record<string, string>> = {
    "no JSON": "{",
    nothing: "",
    "a list": "[]",
    "a text": '"{ hello }"',
    "JSON that is nested too deeply": `${"[".repeat(120)}${"]".repeat(120)}`,
    "JSON with a long key": JSON.stringify({ query: "{ hello }", [LONG]: 1 }),
    "JSON with half a character": String.raw`{"query":"{ hello }","variables":{"a":"\ud800"}}`,
  };
  test.each(Object.keys(BODIES))("A body is charged and reported once: %s.", async (what) => {
    charged.splice(0);
    const before = await reported();
    expect((await souk.post(BODIES[what])).status).toBe(400);
    expect({ reported: (await reported()) - before, charged }).toEqual({
      reported: 1,
      charged: [REFUSED_COST],
    });
  });

  const WAYS: Readonly<Record<string, (payload: Record<string, unknown>) => Promise<unknown>>> = {
    POST: (payload) => souk.post(payload),
    GET: (payload) => {
      const given = Object.entries(payload).map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      return fetch(`${souk.graphql}?${new URLSearchParams(given)}`, {
        headers: { "apollo-require-preflight": "1" },
      });
    },
    WebSocket: (payload) => ask(client, payload),
  };

  describe.each(Object.keys(WAYS))("over %s", (way) => {
    test.each(Object.keys(PAYLOADS))("It is charged and reported once: %s.", async (what) => {
      charged.splice(0);
      const before = await reported();
      await WAYS[way]?.(PAYLOADS[what] ?? {});
      expect({ reported: (await reported()) - before, isCharged: charged.length > 0 }).toEqual({
        reported: 1,
        isCharged: true,
      });
    });
  });
});
