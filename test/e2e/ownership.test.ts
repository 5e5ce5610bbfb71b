/**
 * Nobody reaches by its id what is somebody else's, or learns that it is there. The places are read
 * from the schema, what they name from the rows of the subjects; a place without a row fails.
 */
import { readdir } from "node:fs/promises";
import { parse as parsePath } from "node:path";
import { buildSchema, getOperationAST, parse } from "graphql";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { resolverClassesOf, SUBJECTS } from "../../src/app/subjects.js";
import { ensureSecret } from "../../src/db/secrets.js";
import { printSoukSchema } from "../../src/schema/build-schema.js";
import { createGuests } from "../../src/services/account/guests.js";
import { signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { post } from "../support/graphql.js";
import { placesOf } from "./ownership-places.js";
import type { Attempt, Row, Rows, Shop } from "./ownership-row.js";

const resolverClasses = resolverClassesOf(SUBJECTS);

/** A subject has rows where it takes ids. */
const FILES = (await readdir(new URL("ownership", import.meta.url))).map(
  (file) => parsePath(file).name,
);
const WITH_ROWS = SUBJECTS.map(({ name }) => name).filter((name) => FILES.includes(name));
const PARTS: readonly { readonly rows: Rows }[] = await Promise.all(
  WITH_ROWS.map((name) => import(`./ownership/${name}.ts`)),
);
const OWNERSHIP: Rows = Object.assign({}, ...PARTS.map(({ rows }) => rows));

/** Somebody who asks: by a token, as a guest, or as nobody. */
interface Caller {
  readonly token?: string;
  readonly guest?: string;
}

let app: RunningApp;
let strangers: Readonly<Record<string, Caller>>;
beforeAll(async () => {
  app = await startApp({
    products: 20,
    env: { SIGN_UP_ADDRESS_MAX: "10000", SIGN_UP_NETWORK_MAX: "10000" },
  });
  const guest = createGuests(await ensureSecret(app.database.database, "guests", "unused")).admit(
    undefined,
  );
  guest.ensure();
  strangers = {
    "another customer": { token: (await signUp(app.url)).token },
    "a guest": { guest: guest.issued! },
    nobody: {},
  };
});
afterAll(() => app.close());

const headersOf = ({ token, guest }: Caller): Record<string, string> => ({
  ...(token ? { authorization: `Bearer ${token}` } : {}),
  ...(guest ? { "souk-guest": guest } : {}),
});

/**
 * An answer, without what differs between any two: who asked what is not in it, nor which id was
 * named.
 */
async function ask(
  caller: Caller,
  operation: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const kind = getOperationAST(parse(operation))?.operation;
  const answer =
    kind === "subscription"
      ? await watch(caller, operation, variables)
      : await send(caller, operation, variables);
  const named = new Set(
    Object.values(variables)
      .flat(3)
      .map((value) => JSON.stringify(value)),
  );
  return JSON.parse(JSON.stringify(answer), (key, value: unknown) =>
    key === "requestId" || key === "cost" || key === "cache"
      ? undefined
      : named.has(JSON.stringify(value))
        ? "<named>"
        : value,
  );
}

async function send(
  caller: Caller,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<object> {
  const { status, data, errors } = await post(
    app.url,
    query,
    { ...variables },
    { headers: headersOf(caller) },
  );
  return { status, data, errors };
}

/** The first message of a subscription, or why there is none. */
async function watch(
  { token, guest }: Caller,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const connectionParams = {
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(guest ? { guest } : {}),
  };
  const client = createClient({
    url: app.wsUrl,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams,
  });
  try {
    return await client.iterate({ query, variables: { ...variables } }).next();
  } catch (errors) {
    return { errors };
  } finally {
    await client.dispose();
  }
}

const toVariables = (named: string | Readonly<Record<string, unknown>>) =>
  typeof named === "string" ? { id: named } : named;

async function openShop(): Promise<Shop> {
  const owner = await signUp(app.url);
  return {
    url: app.url,
    owner,
    adminToken: app.adminToken,
    asOwner: (query, variables = {}) => post(app.url, query, variables, { token: owner.token }),
    asAdmin: (query, variables = {}) => post(app.url, query, variables, { token: app.adminToken }),
  };
}

const places = placesOf(buildSchema(printSoukSchema(resolverClasses)));
const tried = Object.entries(OWNERSHIP).filter(
  (entry): entry is [string, Row & Attempt] => entry[1].kind !== "open",
);

describe("the table of ownership", () => {
  it("The table has a row for every place of the schema that takes an id.", () => {
    const advice =
      "These take the id of something and have no row in test/e2e/ownership/<subject>.ts; the " +
      "head of test/e2e/ownership-row.ts tells how to write one.";
    expect(
      places.filter((place) => !(place in OWNERSHIP)),
      advice,
    ).toEqual([]);
  });

  it("Each file of rows has the name of a subject.", () => {
    expect(FILES.sort()).toEqual(WITH_ROWS.sort());
  });

  it("The table has no row for a place that is gone.", () => {
    expect(Object.keys(OWNERSHIP).filter((place) => !places.includes(place))).toEqual([]);
  });

  it("The table gives a reason where all callers may use an id.", () => {
    for (const [place, row] of Object.entries(OWNERSHIP))
      if (row.kind === "open") expect([place, row.why.length > 10]).toEqual([place, true]);
  });
});

it("Ids are found wherever a schema may take them.", () => {
  const schema = buildSchema(`
    interface Node { id: ID! }
    type Query {
      a(id: ID!, ids: [[ID!]!], name: String, after: String, orderId: String, key: Int): A
      node(id: ID!): Node
    }
    type A implements Node { id: ID!  b(deep: Deep, list: [Deep!]!): Int }
    input Deep {
      inner: Inner, self: Deep
      idempotencyKey: String!, key: String, monkey: String, paid: Boolean
    }
    input Inner { productIds: [ID!]!, upTo: String }
    type Subscription { watch(id: ID!): Int }
  `);
  const deep = ["inner.productIds", "inner.upTo", "idempotencyKey", "key", "monkey"];
  expect(placesOf(schema)).toEqual(
    [
      ...["id", "ids", "after", "orderId"].map((name) => `Query.a(${name})`),
      "Query.node(id)",
      ...["deep", "list"].flatMap((name) => deep.map((path) => `A.b(${name}.${path})`)),
      "Subscription.watch(id)",
      "node(A)",
      "nodes(A)",
    ].sort(),
  );
});

describe.each(tried)("%s", (_place, { kind, operation, theirs, missing }) => {
  it("A place answers callers without rights as if the thing did not exist.", async () => {
    const shop = await openShop();
    const [thing, nothing] = [toVariables(await theirs(shop)), toVariables(await missing(shop))];
    for (const [name, caller] of Object.entries(strangers)) {
      const answers = [await ask(caller, operation, thing), await ask(caller, operation, nothing)];
      expect([name, answers[0]]).toEqual([name, answers[1]]);
    }
    const entitled: Caller = { token: kind === "admin" ? shop.adminToken : shop.owner.token };
    // What is not there first: the other may end what it names, or the session that asks.
    const without = await ask(entitled, operation, nothing);
    const advice = "the one who may is answered as if it were not there: the row shows nothing";
    expect(await ask(entitled, operation, thing), advice).not.toEqual(without);
  });
});
