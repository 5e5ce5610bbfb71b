/**
 * Prices against counts: random documents over the whole schema, each new to the process, on the
 * real application. Nothing that a document makes the server do may be more than so many times its
 * price.
 */
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { type GraphQLArgument, type GraphQLObjectType, type GraphQLSchema, parse } from "graphql";
import { Command, Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolverClassesOf, SUBJECTS } from "../../src/app/subjects.js";
import { buildSoukSchema } from "../../src/schema/build-schema.js";
import { randomSelection } from "../server/operation/random-documents.js";
import { signUp } from "../support/accounts.js";
import { ADMIN_TOKEN, type RunningApp, startApp } from "../support/app.js";
import { drillSize } from "../support/drill.js";
import { cacheIsUsed, post } from "../support/graphql.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

const resolverClasses = resolverClassesOf(SUBJECTS);

const DOCUMENTS = drillSize({ sample: 150, full: 5_000 });
const SEED = 20_261_129;
const PRODUCTS = 300;
const QUIET_MS = 10;

/** What a document does. */
interface Counts {
  /** Objects in the answer. */
  readonly objects: number;
  /** Keys that Redis is given. */
  readonly keys: number;
  /** Rows that PostgreSQL answers, and statements. */
  readonly rows: number;
  readonly statements: number;
  /** Tokens of the document, which is new. */
  readonly tokens: number;
  /** What is owed for reading it. */
  readonly owed: number;
}

/**
 * The most of each for one unit of cost, and what every operation may do beside: who asks, and
 * whether they may.
 */
const BOUNDS: {
  readonly [Kind in Exclude<keyof Counts, "owed">]: {
    readonly each: number;
    readonly beside: number;
  };
} = {
  objects: { each: 2, beside: 1 },
  keys: { each: 12, beside: 30 },
  rows: { each: 6, beside: 105 },
  statements: { each: 1, beside: 4 },
  tokens: { each: 10, beside: 0 },
};

const schema: GraphQLSchema = buildSoukSchema({
  resolvers: resolverClasses,
  container: { get: () => undefined },
  pubSub: { publish() {}, subscribe: () => [] as never },
});

const spent = { keys: 0, rows: 0, statements: 0, owed: 0 };
const restore: (() => void)[] = [];
let redis: RedisServer;
let app: RunningApp;
let products: readonly string[] = [];
let categories: readonly string[] = [];
const tokens = [ADMIN_TOKEN, "", ""];

beforeAll(async () => {
  countRedis();
  countPostgres();
  redis = await startRedisServer();
  const unlimited = Object.fromEntries(
    ["VIEWER", "ADDRESS", "BLOCK"].map((name) => [`LIMIT_${name}_BURST`, "1000000000"]),
  );
  const env = { ...unlimited, LIMIT_COST: "1000000", CACHE_LOCAL_BYTES: "0" };
  app = await startApp({
    env,
    products: PRODUCTS,
    redisUrl: redis.url,
    keyPrefix: "",
    roles: { api: true, worker: false },
  });
  await until("the cache to be used", () => cacheIsUsed(app.url));
  const { data } = await post(
    app.url,
    "{ products(first: 100) { edges { node { id } } } categories { id } }",
  );
  products = (data.products!.edges as unknown as { node: { id: string } }[]).map(
    ({ node }) => node.id,
  );
  categories = (data.categories as unknown as { id: string }[]).map(({ id }) => id);
  tokens[1] = (await signUp(app.url)).token;
  const add = "mutation($id: ID!) { addToCart(productId: $id) { errors { code } } }";
  for (const id of products) await post(app.url, add, { id }, { token: tokens[1] });
  const board = { slug: "board", title: "Board" };
  await post(
    app.url,
    "mutation($board: LeaderboardInput!) { createLeaderboard(input: $board) { errors { code } } }",
    { board },
    { token: ADMIN_TOKEN },
  );
  const submit = "mutation($input: ScoreInput!) { submitScore(input: $input) { errors { code } } }";
  for (let score = 0; score < 120; score++)
    await post(
      app.url,
      submit,
      { input: { slug: "board", owner: `o${score}`, score } },
      { token: ADMIN_TOKEN },
    );
});
afterAll(async () => {
  await app?.close();
  await redis?.stop();
  for (const undo of restore) undo();
});

/** Counts the keys of every command that this process sends. */
function countRedis(): void {
  const { sendCommand } = Redis.prototype;
  Redis.prototype.sendCommand = function (command, ...rest) {
    if (command instanceof Command) spent.keys += keysOf(command);
    if (command instanceof Command) spent.owed += owedBy(command);
    return sendCommand.call(this, command, ...rest);
  };
  restore.push(() => {
    Redis.prototype.sendCommand = sendCommand;
  });
}

function keysOf(command: Command): number {
  const isScript = command.name === "evalsha" || command.name === "eval";
  return isScript ? Number(command.args[1]) : command.getKeys().length;
}

/** What the limiter takes without asking: its first argument is then -1, the next one the cost. */
function owedBy({ name, args }: Command): number {
  if (name !== "evalsha" || !String(args[2]).includes("{limit}")) return 0;
  const [hold, cost] = args.slice(2 + Number(args[1]));
  return Number(hold) === -1 ? Number(cost) : 0;
}

/** Counts statements and the rows that they answer. */
function countPostgres(): void {
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const { query } = prototype;
  prototype.query = function (...args) {
    const answer = query.apply(this, args);
    spent.statements += 1;
    const count = ({ rows }: { readonly rows?: readonly unknown[] }): void => {
      spent.rows += rows?.length ?? 0;
    };
    if (answer instanceof Promise) answer.then(count).catch(() => {});
    return answer;
  };
  restore.push(() => {
    prototype.query = query;
  });
}

const quoted = (text: string | undefined): string => JSON.stringify(text ?? "");

/** A value for each argument of the schema, by its name. */
function valueFor({ name }: GraphQLArgument, choice: number): string | null {
  const pick = <T>(options: readonly T[]): T => options[choice % options.length] as T;
  switch (name) {
    case "first":
    case "days":
    case "months":
    case "radius":
      return String(pick([1, 3, 20, name === "months" ? 36 : name === "radius" ? 50 : 90]));
    case "id":
      return quoted(pick([...products.slice(0, 3), ...categories.slice(0, 3)]));
    case "ids":
      return `[${products
        .slice(0, pick([1, 5, 100]))
        .map(quoted)
        .join(", ")}]`;
    case "slug":
      return quoted("board");
    case "owner":
      return quoted(pick(["o5", "o60", "o119", "nobody"]));
    case "filter":
      return pick(["null", `{ minPrice: ${choice} }`, `{ text: "a", minPrice: ${choice} }`]);
    case "sort":
      return pick(["NEWEST", "PRICE_ASC", "RATING", "POPULAR"]);
    case "text":
      return quoted(pick(["", "a", "b"]));
    default:
      return null;
  }
}

/** A document that nobody has sent before. */
function documentOf(choices: readonly number[], number: number): string {
  const args = (type: string, field: string): string => {
    const declared = (schema.getType(type) as GraphQLObjectType).getFields()[field]?.args ?? [];
    // By the name of the field alone: under one name everything has to be asked for alike.
    const choice = (choices[field.length % choices.length] ?? 0) + field.length;
    const given = declared.flatMap((argument) => {
      const value = valueFor(argument, choice);
      return value === null ? [] : [`${argument.name}: ${value}`];
    });
    return given.length > 0 ? `(${given.join(", ")})` : "";
  };
  const { selection, fragments } = randomSelection(
    schema,
    schema.getQueryType() as GraphQLObjectType,
    { choices, depth: 6, args },
  );
  return `query Generated${number} ${selection} ${fragments}`;
}

function objectsIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside = Object.values(value).reduce((sum: number, member) => sum + objectsIn(member), 0);
  return inside + (Array.isArray(value) ? 0 : 1);
}

/**
 * What an answer did not wait for, such as a fill of the cache, is not counted for the next
 * document.
 */
async function untilQuiet(): Promise<void> {
  for (let last = ""; last !== JSON.stringify(spent); await delay(QUIET_MS))
    last = JSON.stringify(spent);
}

interface Answered {
  readonly data?: unknown;
  readonly errors?: readonly unknown[];
  readonly extensions?: { readonly cost: { readonly requested: number; readonly actual: number } };
}

async function send(query: string, token: string): Promise<{ answer: Answered; counts: Counts }> {
  await untilQuiet();
  const before = { ...spent };
  const headers = {
    "content-type": "application/json",
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(app.url, {
    method: "POST",
    headers,
    body: JSON.stringify({ query }),
  });
  const answer = (await response.json()) as Answered;
  const counts = {
    objects: objectsIn(answer.data),
    keys: spent.keys - before.keys,
    rows: spent.rows - before.rows,
    statements: spent.statements - before.statements,
    tokens: parse(query).tokenCount ?? 0,
    owed: spent.owed - before.owed,
  };
  return { answer, counts };
}

describe("the price of a document", () => {
  it(`The price covers what ${DOCUMENTS} random documents make the server do.`, async () => {
    const samples = fc.sample(fc.array(fc.nat(1_000), { minLength: 30, maxLength: 60 }), {
      numRuns: DOCUMENTS,
      seed: SEED,
    });
    let answered = 0;
    for (const [number, choices] of samples.entries()) {
      const query = documentOf(choices, number);
      const { answer, counts } = await send(query, tokens[number % tokens.length] ?? "");
      if (answer.errors || !answer.extensions) continue;
      answered += 1;
      const { actual } = answer.extensions.cost;
      const paid = actual + counts.owed;
      for (const [kind, { each, beside }] of Object.entries(BOUNDS) as [
        keyof typeof BOUNDS,
        { each: number; beside: number },
      ][])
        expect(counts[kind], `${kind} at a price of ${paid}: ${query}`).toBeLessThanOrEqual(
          each * paid + beside,
        );
      expect(answer.extensions.cost.requested).toBeGreaterThanOrEqual(actual);
    }
    // A generator of errors alone would show nothing.
    expect(answered).toBeGreaterThan(DOCUMENTS / 3);
  });
});
