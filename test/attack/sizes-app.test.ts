/**
 * Documents against the whole application: an answer is bounded by its bytes, however little it
 * costs.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Answer } from "../server/test-server.js";
import { ask, connectSocket } from "../server/websocket/socket-client.js";
import { type RunningApp, startApp } from "../support/app.js";

const ANSWER_BYTES = 256 * 1024;
const times = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_item, at) => make(at)).join(" ");
const longAlias = (at: number) => `a${at}`.padEnd(128, "a");

interface Row {
  readonly name: string;
  readonly query: string;
  readonly variables?: object;
  readonly code: string;
}

const ROWS: readonly Row[] = [
  {
    name: "An alias of 50,000 characters in nested lists",
    query:
      `{ categories { products(first: 40) { edges { node { ${"a".repeat(50_000)}: __typename } ` +
      "} } } }",
    code: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "The longest aliases in nested lists",
    query:
      "{ categories { products(first: 40) { edges { node { " +
      `${times(14, (at) => `${longAlias(at)}: description`)} } } } } }`,
    code: "PAYLOAD_TOO_LARGE",
  },
  {
    name: "Many short aliases of __typename in nested lists",
    query:
      "{ categories { products(first: 40) { edges { node { " +
      `${times(300, (at) => `a${at}: __typename`)} } } } } }`,
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "Many short aliases of __typename in the schema",
    query:
      `{ __schema { types { fields { args { type { ${times(150, (at) => `a${at}: __typename`)} ` +
      "} } } } } }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "A long name of an operation with many bad ids",
    query:
      `query ${"q".repeat(40_000)}(${times(120, (at) => `$v${at}: ID!`)}) { nodes(ids: ` +
      `[${times(120, (at) => `$v${at}`)}]) { id } }`,
    code: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "Many variables without a value",
    query:
      `query(${times(120, (at) => `$v${at}: ID!`)}) { nodes(ids: ` +
      `[${times(120, (at) => `$v${at}`)}]) { id } }`,
    code: "BAD_USER_INPUT",
  },
];

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ env: { ANSWER_MAX_BYTES: String(ANSWER_BYTES) } });
}, 120_000);
afterAll(() => app.close());

const post = async (body: object): Promise<string> =>
  (
    await fetch(app.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })
  ).text();
const overSocket = async (body: object): Promise<string> => {
  const client = await connectSocket(app.wsUrl);
  const answer = await ask(client, body);
  await client.close();
  return JSON.stringify(answer);
};

test.each(ROWS.map((row) => [row.name, row] as const))(
  "%s: two at once on each transport are answered within the bound.",
  async (_name, row) => {
    const { query, variables } = row;
    const answers = await Promise.all(
      [post, post, overSocket, overSocket].map((send) => send({ query, variables })),
    );
    for (const text of answers) {
      const { errors = [] } = JSON.parse(text) as Answer;
      expect(errors[0]?.extensions.code).toBe(row.code);
      expect(errors.length).toBeLessThanOrEqual(10);
      expect(text.length).toBeLessThan(16 * 1024);
    }
    expect(JSON.parse(await post({ query: "{ __typename }" })).data).toEqual({
      __typename: "Query",
    });
  },
);
