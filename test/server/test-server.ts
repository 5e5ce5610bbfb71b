/**
 * A real server over a small schema that holds one field for each thing the transport must handle.
 */
import {
  buildSchema,
  type GraphQLInterfaceType,
  GraphQLScalarType,
  type GraphQLSchema,
} from "graphql";
import type { Logger } from "pino";
import { accountConfig } from "../../src/config/account.js";
import { readConfig } from "../../src/config/config.js";
import { ANONYMOUS, type Principal, SERVICE } from "../../src/domain/account/principal.js";
import { BadUserInput, Forbidden, ServiceUnavailable } from "../../src/domain/errors.js";
import { ReadContext } from "../../src/domain/reading/read-context.js";
import type { Loaders } from "../../src/loaders/loaders.js";
import { createRequestContext, type RequestContext } from "../../src/resolvers/context.js";
import { readManifest } from "../../src/server/operation/manifest.js";
import { createServer, type ServerDeps, type SoukServer } from "../../src/server/server.js";
import type { Credential } from "../../src/services/account/credential.js";
import { createGuests } from "../../src/services/account/guests.js";
import { createConsistencyTokens } from "../../src/services/consistency-tokens.js";
import { createPersistedDocuments } from "../../src/services/persisted-documents.js";
import { createAdmission } from "../../src/services/rate-limit/admission.js";
import type { Limits } from "../../src/services/rate-limit/limits.js";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.js";
import { testLog } from "../support/log.js";
import { MODE } from "../support/mode.js";

const SDL = /* GraphQL */ `
  scalar Whole
  enum Color { RED GREEN }
  interface Node { id: ID! }
  type Product implements Node {
    id: ID!
    name: String!
    price: Int!
    tags: [String!]!
    category: Category!
    maybe: String
    breaks: String
  }
  type Category implements Node {
    id: ID!
    name: String!
    parent: Category
    children: [Category!]!
    products(first: Int = 2): [Product!]!
  }
  input Filter { text: String, min: Int = 1, color: Color = RED, ids: [ID!] }
  type Query {
    hello(name: String = "world"): String!
    text(characters: Int!, of: String = "x"): String!
    echo(text: String): String
    page(first: Int! = 20): Int!
    whole(value: Whole!): Whole
    search(filter: Filter, color: Color): String!
    product(id: ID!): Product
    products(first: Int = 3): [Product!]!
    node(id: ID!): Node
    nodes(ids: [ID!]!): [Node]!
    category: Category!
    whoAmI: String!
    mine: String!
    seen: Int!
    badInput: String
    forbidden: String
    unavailable: String!
    crash: String
    crashEarly: String!
    never: String
    slow: String!
  }
  type Mutation { write(text: String): String! own: String! fails: String }
  type Subscription {
    ticks(times: Int = 2): Tick!
    endless: Int!
    crashes: Int!
    refused: Int!
    never: Int!
  }
  type Tick { number: Int! context: Int! text(characters: Int!): String! }
`;

/** Text of the kind that must never reach a client. */
export const SECRET =
  "select * from secret_table -- at /work/secret/file.ts:12 redis://user:hunter2@db";

/** What tests of one server can look at and steer. */
export interface TestServer {
  readonly server: SoukServer;
  readonly url: string;
  readonly graphql: string;
  readonly live: string;
  readonly metrics: Metrics;
  /** Open sources of subscriptions. */
  readonly sources: { open: number };
  /** Times that `write` was executed. */
  readonly writes: { count: number };
  /** Lets every `slow` field answer. */
  release(): void;
  /** Resolves when a `slow` field has been asked. */
  readonly slowAsked: Promise<void>;
  post(
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; body: Answer; text: string }>;
  close(): Promise<void>;
}

/** The parts of an answer that tests read. */
export interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    message: string;
    path?: readonly unknown[];
    extensions: { code: string; requestId: string };
  }[];
  readonly extensions?: {
    readonly cache?: { status: string; ageMs: number };
    readonly seen?: string;
  };
}

/** The service token of test servers. */
export const TOKEN = "a-token-of-the-tests";

/** What signs the consistency tokens of test servers. */
export const SEEN_TOKENS = createConsistencyTokens("secret", Date.now);

/** Whatever is asked costs nothing, and nothing is said about it. */
const NO_LIMITS: Limits = {
  check: () => {},
  recentlyRejected: () => false,
  takeCredit: () => null,
  charge: async (_payer, charge) => ({ charge, buckets: [], settle: () => undefined }),
  owe: () => {},
};

/**
 * Every test asks from one address, and the machine may be busy with other work: nothing is shed.
 */
const QUIET = {
  PORT: "0",
  NODE_ENV: "test",
  LOG_LEVEL: "silent",
  SHUTDOWN_MS: "2000",
  LOAD_ADDRESS: "100000",
  LOAD_WAIT_MS: "600000",
  LOAD_LAG_MS: "60000",
};

/** Whose token it is, by its text. */
export type AuthenticateToken = (token: string | undefined) => Promise<Principal | "invalid">;

const authenticateAdmin: AuthenticateToken = async (token) =>
  token === undefined ? ANONYMOUS : token === TOKEN ? SERVICE : "invalid";

/** Credentials of test servers hold the token itself as their digest. */
const readCredential = (token: string | undefined): Credential => {
  if (token === undefined) return { kind: "none" };
  return token === TOKEN ? { kind: "service" } : { kind: "session", digest: token, userTag: null };
};

const TOKEN_OF = { none: undefined, service: TOKEN } as const;
const tokenOf = (credential: Credential): string | undefined =>
  credential.kind === "session" ? credential.digest : TOKEN_OF[credential.kind];

/** Starts a server. Environment variables and dependencies can be replaced. */
export async function startServer(
  env: Record<string, string> = {},
  {
    authenticate = authenticateAdmin,
    limits,
    ...deps
  }: Partial<ServerDeps> & {
    log?: Logger;
    authenticate?: AuthenticateToken;
    limits?: Limits;
  } = {},
): Promise<TestServer> {
  const config = readConfig({ ...QUIET, ...MODE, ...env }, [accountConfig]);
  const metrics = createMetrics();
  const steering = createSteering();
  const server = await createServer({
    config,
    schema: testSchema(steering),
    admission: createAdmission({
      authenticate: (credential) => authenticate(tokenOf(credential)),
      readCredential,
      limits: limits ?? NO_LIMITS,
    }),
    admitGuest: createGuests("secret").admit,
    seenTokens: SEEN_TOKENS,
    sessions: { confirm: async (principal) => principal, onEnded: () => () => {} },
    traceAnswer: () => null,
    beginReads: {},
    createOperation: ({ requestId, principal, client, guest, buckets, seen, bypass }) =>
      createRequestContext({
        requestId,
        buckets,
        principal,
        client,
        guest,
        reading: new ReadContext({ seen, bypass }),
        makeLoaders: () => ({}) as Loaders,
      }),
    documents: createPersistedDocuments({
      mode: config.documents.mode,
      manifest: readManifest(config.documents),
      store: { find: async () => null, keep: async () => {} },
    }),
    readiness: async () => ({ ready: true, checks: { redis: "ok" } }),
    metrics,
    log: testLog(),
    ...deps,
  });
  const { url } = await server.listen();
  return {
    server,
    url,
    graphql: `${url}/graphql`,
    live: `${url.replace("http", "ws")}/graphql`,
    metrics,
    ...steering,
    post: (body, headers) => post(`${url}/graphql`, body, headers),
    async close() {
      steering.release();
      await server.close();
      metrics.close();
    },
  };
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: JSON.parse(text) as Answer,
    text,
  };
}

function createSteering() {
  let release = () => {};
  let asked = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slowAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  return {
    sources: { open: 0 },
    writes: { count: 0 },
    release: () => release(),
    released,
    asked: () => asked(),
    slowAsked,
  };
}

type Steering = ReturnType<typeof createSteering>;

/** Numbers contexts, to tell whether two events shared one. */
const contextNumbers = new WeakMap<RequestContext, number>();
let contexts = 0;

function contextNumber(context: RequestContext): number {
  const number = contextNumbers.get(context) ?? ++contexts;
  contextNumbers.set(context, number);
  return number;
}

const product = (id: string) => ({
  __typename: "Product",
  id,
  name: `Product ${id}`,
  price: 100,
  tags: ["a", "b"],
});
const category = (id: string) => ({ __typename: "Category", id, name: `Category ${id}` });
const nodeOf = (id: string) =>
  id.startsWith("c") ? category(id) : id.startsWith("p") ? product(id) : null;

/** The resolvers, by type and field. */
function resolversOf(
  steering: Steering,
): Record<
  string,
  Record<string, (source: never, args: never, context: RequestContext) => unknown>
> {
  const crash = () => {
    throw new Error(SECRET);
  };
  return {
    Product: {
      breaks: crash,
      category: async () => category("c1"),
      name: async ({ name }: { name: string }) => name,
    },
    Category: {
      parent: async ({ id }: { id: string }) => (id.length > 12 ? null : category(`${id}1`)),
      children: async ({ id }: { id: string }) =>
        id.length > 4 ? [] : [category(`${id}1`), category(`${id}2`)],
      products: async (_: unknown, { first }: { first: number }) =>
        Array.from({ length: Math.min(first ?? 2, 5) }, (_item, at) => product(`p${at}`)),
    },
    Query: {
      hello: (_: unknown, { name }: { name: string }) => `Hello ${name}`,
      text: (_: unknown, { characters, of }: { characters: number; of: string }) =>
        of.repeat(characters),
      echo: async (_: unknown, { text }: { text: string }, { reading }: RequestContext) => {
        reading.record(reading.bypass ? "BYPASS" : "HIT", 5);
        return text;
      },
      page: (_: unknown, { first }: { first: number }) => first,
      whole: (_: unknown, { value }: { value: number }) => value,
      search: (_: unknown, args: object) => JSON.stringify(Object.entries(args).sort()),
      product: async (_: unknown, { id }: { id: string }) => (id === "none" ? null : product(id)),
      products: async (_: unknown, { first }: { first: number }) =>
        Array.from({ length: Math.min(first ?? 3, 50) }, (_item, at) => product(`p${at}`)),
      node: async (_: unknown, { id }: { id: string }) => nodeOf(id),
      nodes: async (_: unknown, { ids }: { ids: string[] }) => ids.map(nodeOf),
      category: async () => category("c"),
      whoAmI: (_: unknown, _args: unknown, { principal }: RequestContext) => principal.kind,
      mine: (_: unknown, _args: unknown, context: RequestContext) =>
        JSON.stringify(context.owner()),
      seen: (_: unknown, _args: unknown, { reading }: RequestContext) => reading.seen.count,
      badInput: async () => {
        throw new BadUserInput("first must be smaller.", ["first"]);
      },
      forbidden: () => {
        throw new Forbidden("Not for you.");
      },
      unavailable: async () => {
        throw new ServiceUnavailable("Try again.", { cause: new Error(SECRET) });
      },
      crash: async () => crash(),
      crashEarly: crash,
      never: () => new Promise(() => {}),
      slow: async () => {
        steering.asked();
        await steering.released;
        return "at last";
      },
    },
    Mutation: {
      write: async (_: unknown, { text }: { text: string }, context: RequestContext) => {
        steering.writes.count++;
        context.wrote({ count: context.reading.seen.count + 7, bypassUntilMs: 0 });
        return text ?? "";
      },
      own: (_: unknown, _args: unknown, context: RequestContext) =>
        JSON.stringify(context.writingOwner()),
      fails: crash,
    },
    Tick: {
      context: (_: unknown, _args: unknown, context: RequestContext) => contextNumber(context),
      text: (_: unknown, { characters }: { characters: number }) => "x".repeat(characters),
    },
  };
}

type Source = (source: unknown, args: { times: number }) => AsyncIterable<unknown> | Promise<never>;

function sourcesOf({ sources, released }: Steering): Record<string, Source> {
  async function* watched(events: AsyncIterable<unknown>) {
    sources.open++;
    try {
      yield* events;
    } finally {
      sources.open--;
    }
  }
  async function* ticks(times: number) {
    for (let number = 1; number <= times; number++) yield { ticks: { number } };
  }
  return {
    ticks: (_, { times }) => watched(ticks(times)),
    endless: () => endless(sources),
    crashes: () =>
      watched(
        (async function* () {
          yield { crashes: 1 };
          throw new Error(SECRET);
        })(),
      ),
    refused: () => Promise.reject(new Forbidden("Not for you.")),
    never: () => released.then(() => new Promise<never>(() => {})),
  };
}

/** One event, then silence until `return()`. */
function endless(sources: { open: number }): AsyncIterableIterator<unknown> {
  let end = () => {};
  const ended = new Promise<IteratorResult<unknown>>((resolve) => {
    end = () => resolve({ done: true, value: undefined });
  });
  let first = true;
  sources.open++;
  return {
    async next() {
      if (!first) return ended;
      first = false;
      return { done: false, value: { endless: 1 } };
    },
    async return() {
      sources.open--;
      end();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function testSchema(steering: Steering): GraphQLSchema {
  const schema = buildSchema(SDL);
  for (const [type, fields] of Object.entries(resolversOf(steering))) {
    const object = schema.getType(type);
    if (object && "getFields" in object) {
      for (const [name, resolve] of Object.entries(fields))
        Object.assign(object.getFields()[name] ?? {}, { resolve });
    }
  }
  for (const [name, subscribe] of Object.entries(sourcesOf(steering)))
    Object.assign(schema.getSubscriptionType()?.getFields()[name] ?? {}, { subscribe });
  (schema.getType("Node") as GraphQLInterfaceType).resolveType = ({
    __typename,
  }: {
    __typename: string;
  }) => __typename;
  const whole = schema.getType("Whole") as GraphQLScalarType;
  const parsed = new GraphQLScalarType({
    name: "Whole",
    parseValue: (value) => {
      if (!Number.isSafeInteger(value)) throw new TypeError("Value is no whole number.");
      return value;
    },
  });
  Object.assign(whole, { parseValue: parsed.parseValue, parseLiteral: parsed.parseLiteral });
  return schema;
}
