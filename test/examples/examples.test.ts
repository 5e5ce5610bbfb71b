import { existsSync, readdirSync, readFileSync } from "node:fs";
import {
  buildSchema,
  type GraphQLArgument,
  getNamedType,
  getOperationAST,
  isInputObjectType,
  parse,
} from "graphql";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type DemoOperation, EDITOR_OPERATIONS } from "../../src/server/explorer/operations.js";
import { SIGN_UP, signIn, whoIs } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { post } from "../support/graphql.js";

const FOLDER = new URL("../../examples/", import.meta.url);

/** An operation in examples/, with the variables that stand beside it. */
interface Example {
  readonly name: string;
  readonly query: string;
  readonly kind: "query" | "mutation" | "subscription";
  readonly variables: Record<string, unknown>;
}

function readExample(name: string): Example {
  const query = readFileSync(new URL(`${name}.graphql`, FOLDER), "utf8");
  const kind = getOperationAST(parse(query))?.operation;
  if (!kind) throw new Error(`${name}.graphql does not hold exactly one operation`);
  const file = new URL(`${name}.variables.json`, FOLDER);
  return {
    name,
    query,
    kind,
    variables: existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {},
  };
}

const files = readdirSync(FOLDER);
const examples = files
  .filter((file) => file.endsWith(".graphql"))
  .map((file) => readExample(file.replace(/\.graphql$/, "")));
const ofKind = (kind: Example["kind"]) => examples.filter((example) => example.kind === kind);

let app: RunningApp;
/** The token of the customer that the example of a sign-in names. */
let customer: string;
beforeAll(async () => {
  app = await startApp({ products: 2_000 });
  const { input } = readExample("sign-in").variables;
  const { data } = await post(app.url, SIGN_UP, {
    input: { ...(input as object), name: "Ada Lindgren" },
  });
  customer = String(data.signUp!.token);
  // Something sold, so that there is a board to look at.
  const { query } = readExample("adjust-stock");
  for (const by of [10, -1])
    await post(
      app.url,
      query,
      { id: "UHJvZHVjdDox", by, operationId: `by ${by}` },
      { token: app.adminToken },
    );
  const notification = readExample("send-notification");
  await post(
    app.url,
    notification.query,
    { input: { ...(notification.variables.input as object), operationId: "before" } },
    { token: app.adminToken },
  );
});
afterAll(() => app?.close());

/**
 * Paths of an answer that show nothing: null fields and empty lists, other than those that are
 * meant to be.
 */
function blanksOf(value: unknown, path = ""): string[] {
  if (value === null || (Array.isArray(value) && value.length === 0)) return [path];
  if (typeof value !== "object") return [];
  return Object.entries(value as object).flatMap(([key, member]) =>
    blanksOf(member, `${path}.${key}`),
  );
}

/** Those of a cart are run as one guest. */
const OF_CARTS = new Set(["add-to-cart", "set-cart-line", "cart", "watch-cart"]);

/** Those that make or end a session have tests of their own. */
const OF_ACCOUNTS = new Set([
  "sign-in",
  "sign-up",
  "revoke-session",
  "change-password",
  "sign-out",
]);

/** Mutations that somebody signed in sends for themselves; the others need an admin. */
const FOR_CUSTOMERS =
  /\b(addReview|revokeOtherSessions|like|unlike|submitScore|markNotificationsRead)\b/;

/** Mutations that need nobody: whoever sends them is a guest. */
const FOR_ALL_CALLERS = /\b(trackView|share)\(/;

/** Queries that only admins may send. */
const FOR_ADMINS = /\b(activity|users|user|auditLog)\(/;

/**
 * A root has no parent, a leaf no children, a last page no next one, and what is new was not read.
 */
const MEANT = /\.(parent|children|endCursor|errors|edges|returned|readAt)$/;

const schema = buildSchema(
  readFileSync(new URL("../../src/schema/schema.graphql", import.meta.url), "utf8"),
);

/** Whether an argument of a mutation is, or holds, an operation id. */
function takesOperationId({ name, type }: GraphQLArgument): boolean {
  const named = getNamedType(type);
  return name === "operationId" || (isInputObjectType(named) && "operationId" in named.getFields());
}

describe("the examples", () => {
  it("Every example of a mutation that takes an operationId sends one, to be repeatable.", () => {
    const fields = Object.values(schema.getMutationType()?.getFields() ?? {});
    const repeatable = fields
      .filter(({ args }) => args.some(takesOperationId))
      .map(({ name }) => name);
    const shown = ofKind("mutation").filter(({ query }) =>
      repeatable.some((name) => new RegExp(`\\b${name}\\(`).test(query)),
    );
    const without = shown.filter(
      ({ variables }) => !JSON.stringify(variables).includes('"operationId":"'),
    );
    expect(shown.length).toBeGreaterThan(5);
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it("The examples bring their variables, and no variables are left over.", () => {
    const names = new Set(examples.map(({ name }) => name));
    const orphans = files
      .filter((file) => file.endsWith(".variables.json"))
      .filter((file) => !names.has(file.replace(/\.variables\.json$/, "")));
    expect(orphans).toEqual([]);
    expect(examples.length).toBeGreaterThanOrEqual(10);
  });

  it.each(ofKind("query").filter(({ name }) => !OF_CARTS.has(name)))(
    "The example query $name answers with data.",
    async ({ query, variables }) => {
      const { status, data, errors } = await post(app.url, query, variables, {
        token: FOR_ADMINS.test(query) ? app.adminToken : customer,
      });
      expect({ status, errors }).toEqual({ status: 200, errors: undefined });
      expect(blanksOf(data).filter((path) => !MEANT.test(path))).toEqual([]);
      expect(JSON.stringify(data)).toMatch(/"(name|title|day)"/);
    },
  );

  it("The example of signing in works.", async () => {
    const { query, variables } = readExample("sign-in");
    const { data } = await post(app.url, query, variables);
    expect(data.signIn).toMatchObject({
      viewer: { user: { name: "Ada Lindgren" } },
      token: expect.stringContaining("."),
      errors: [],
    });
  });

  it.each(
    ofKind("subscription").filter(
      ({ name }) => !OF_CARTS.has(name) && name !== "notifications-received",
    ),
  )("The example subscription $name answers once for each id.", ({ query, variables }) =>
    watchOnce(query, variables),
  );

  it("The examples of a cart fill, change, show and watch it.", async () => {
    const added = await post(
      app.url,
      readExample("add-to-cart").query,
      readExample("add-to-cart").variables,
    );
    expect(added.data.addToCart).toMatchObject({ cart: { quantity: 2 }, warnings: [], errors: [] });
    const headers = { "souk-guest": added.guest ?? "" };
    const run = (name: string) =>
      post(app.url, readExample(name).query, readExample(name).variables, { headers });
    expect((await run("set-cart-line")).data.setCartLine).toMatchObject({
      cart: { quantity: 1 },
      errors: [],
    });
    const { cart } = (await run("cart")).data;
    expect(blanksOf(cart)).toEqual([]);
    const client = createClient({
      url: app.wsUrl,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { guest: added.guest },
    });
    const { value } = await client.iterate({ query: readExample("watch-cart").query }).next();
    expect(value.data.cartChanged).toMatchObject({ version: cart!.version, quantity: 1 });
    await client.dispose();
  });

  it("The example of notifications follows them from the beginning.", async () => {
    const { query } = readExample("notifications-received");
    const client = createClient({
      url: app.wsUrl,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${customer}` },
    });
    const { value } = await client.iterate({ query, variables: { after: "" } }).next();
    expect(value).toMatchObject({
      data: { notificationReceived: { notification: { title: "Chairs are cheaper today" } } },
    });
    await client.dispose();
  });

  it("The example of signing up works.", async () => {
    const { query, variables } = readExample("sign-up");
    const { data } = await post(app.url, query, variables);
    expect(data.signUp).toMatchObject({
      viewer: { user: { name: "Your Name" } },
      token: expect.stringContaining("."),
      errors: [],
    });
  });

  it("They end one session, change the password and sign out, one after the other.", async () => {
    const { input } = readExample("change-password").variables as {
      input: { currentPassword: string };
    };
    const account = { email: "tour@souk.example", password: input.currentPassword };
    const { data } = await post(app.url, SIGN_UP, {
      input: { ...account, name: "Tess Tour", deliver: "TOKEN" },
    });
    const run = async (name: string, token: string, variables = readExample(name).variables) =>
      (await post(app.url, readExample(name).query, variables, { token })).data;
    const [first, other] = [String(data.signUp!.token), await signIn(app.url, account)];
    const sessions = (await run("viewer", other)).viewer!.sessions as unknown as {
      id: string;
      current: boolean;
    }[];
    const { id } = sessions.find(({ current }) => current)!;
    expect((await run("revoke-session", first, { id })).revokeSession).toEqual({
      revoked: 1,
      errors: [],
    });
    expect(await whoIs(app.url, other)).toBe("UNAUTHENTICATED");
    const { changePassword } = await run("change-password", first);
    expect(changePassword).toMatchObject({
      viewer: { email: account.email, sessions: [{ current: true }] },
      errors: [],
    });
    expect((await run("sign-out", String(changePassword!.token))).signOut).toEqual({
      signedOut: true,
      errors: [],
    });
    expect(await whoIs(app.url, String(changePassword!.token))).toBe("UNAUTHENTICATED");
  });

  const open = ofKind("mutation").filter(({ query }) => FOR_ALL_CALLERS.test(query));
  it.each(open)("The public example mutation $name works.", async ({ query, variables }) => {
    const { data, errors } = await post(app.url, query, variables);
    expect({ errors, blanks: blanksOf(data).filter((path) => !MEANT.test(path)) }).toEqual({
      errors: undefined,
      blanks: [],
    });
  });

  const guarded = ofKind("mutation").filter(
    ({ name, query }) =>
      !OF_ACCOUNTS.has(name) && !OF_CARTS.has(name) && !FOR_ALL_CALLERS.test(query),
  );
  it.each(guarded)(
    "The restricted example mutation $name works for its role alone.",
    async ({ query, variables }) => {
      const anonymous = await post(app.url, query, variables);
      expect(anonymous.errors?.map(({ extensions }) => extensions.code)).toEqual([
        "UNAUTHENTICATED",
      ]);
      const token = FOR_CUSTOMERS.test(query) ? customer : app.adminToken;
      const { data, errors } = await post(app.url, query, variables, { token });
      expect(errors).toBeUndefined();
      expect(
        Object.values(data as unknown as Record<string, { errors: unknown }>).map(
          (payload) => payload.errors,
        ),
      ).toEqual([[]]);
    },
  );
});

/**
 * Runs a subscription until each id has come with something to see, or once where there are none.
 */
async function watchOnce(
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const client = createClient({ url: app.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  const seen = new Set<string>();
  const wanted = (variables.ids as string[] | undefined)?.length ?? 1;
  for await (const { data, errors } of client.iterate({ query, variables: { ...variables } })) {
    expect(errors).toBeUndefined();
    expect(blanksOf(data)).toEqual([]);
    seen.add(JSON.stringify(data));
    if (seen.size === wanted) break;
  }
  await client.dispose();
}

/** Does what an operation says, as somebody who copied it and filled the token in. */
async function runAsWritten(
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const kind = getOperationAST(parse(query))?.operation;
  if (kind === "subscription") return watchOnce(query, variables);
  const { status, data, errors } = await post(
    app.url,
    query,
    { ...variables },
    kind === "mutation" ? { token: app.adminToken } : {},
  );
  expect({ status, errors }).toEqual({ status: 200, errors: undefined });
  expect(blanksOf(data).filter((path) => !MEANT.test(path))).toEqual([]);
  expect(JSON.stringify(data)).toMatch(/"(name|stock)"/);
}

describe("the operations that newcomers are given", () => {
  it.each(EDITOR_OPERATIONS.map((one: DemoOperation) => [one.name, one] as const))(
    "The explorer's operation runs as it stands: %s",
    (_name, { query, variables }) => runAsWritten(query, variables),
  );

  const readme = readFileSync(new URL("../README.md", FOLDER), "utf8");
  const given = [...readme.matchAll(/^```graphql\n([\s\S]*?)^```$/gm)].map(
    ([, query]) => query as string,
  );
  it("The README has one operation of each kind.", () =>
    expect(given.map((query) => getOperationAST(parse(query))?.operation)).toEqual([
      "query",
      "subscription",
      "mutation",
    ]));
  it.each(given.map((query) => [query]))("The README's operation runs word for word: %s", (query) =>
    runAsWritten(query),
  );
});
