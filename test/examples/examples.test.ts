import { existsSync, readdirSync, readFileSync } from "node:fs";
import { buildSchema, getOperationAST, parse, validate } from "graphql";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { DEFAULT_OPERATIONS } from "../../src/server/explorer-pages.js";
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
  return { name, query, kind, variables: existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {} };
}

const files = readdirSync(FOLDER);
const examples = files.filter((file) => file.endsWith(".graphql")).map((file) => readExample(file.replace(/\.graphql$/, "")));
const schema = buildSchema(readFileSync(new URL("../src/schema/schema.graphql", FOLDER), "utf8"));
const ofKind = (kind: Example["kind"]) => examples.filter((example) => example.kind === kind);

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 200 });
});
afterAll(() => app?.close());

/** Paths of an answer that show nothing: null fields and empty lists, other than those that are meant to be. */
function blanksOf(value: unknown, path = ""): string[] {
  if (value === null || (Array.isArray(value) && value.length === 0)) return [path];
  if (typeof value !== "object") return [];
  return Object.entries(value as object).flatMap(([key, member]) => blanksOf(member, `${path}.${key}`));
}

/** A root has no parent, a leaf no children, a last page no next one. */
const MEANT = /\.(parent|children|endCursor|errors|edges)$/;

describe("the examples", () => {
  it("bring their variables, and no variables are left over", () => {
    const names = new Set(examples.map(({ name }) => name));
    const orphans = files
      .filter((file) => file.endsWith(".variables.json"))
      .filter((file) => !names.has(file.replace(/\.variables\.json$/, "")));
    expect(orphans).toEqual([]);
    expect(examples.length).toBeGreaterThanOrEqual(10);
  });

  it.each(DEFAULT_OPERATIONS.map((query) => [query]))("fit the schema where the explorer opens with them: %s", (query) => {
    expect(validate(schema, parse(query))).toEqual([]);
  });

  it.each(ofKind("query"))("query $name answers with something to see", async ({ query, variables }) => {
    const { status, data, errors } = await post(app.url, query, variables);
    expect({ status, errors }).toEqual({ status: 200, errors: undefined });
    expect(blanksOf(data).filter((path) => !MEANT.test(path))).toEqual([]);
    expect(JSON.stringify(data)).toContain('"name"');
  });

  it.each(ofKind("subscription"))("subscription $name answers once for each id", async ({ query, variables }) => {
    const client = createClient({ url: app.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
    const ids = new Set(variables.ids as string[]);
    for await (const { data, errors } of client.iterate<{ productChanged: { id: string; product: object | null } }>({ query, variables })) {
      expect(errors).toBeUndefined();
      expect(data?.productChanged.product).not.toBeNull();
      ids.delete(data?.productChanged.id ?? "");
      if (ids.size === 0) break;
    }
    await client.dispose();
  });

  it.each(ofKind("mutation"))("mutation $name is for admins, and does what it says", async ({ query, variables }) => {
    const anonymous = await post(app.url, query, variables);
    expect(anonymous.errors?.map(({ extensions }) => extensions.code)).toEqual(["UNAUTHENTICATED"]);
    const { data, errors } = await post(app.url, query, variables, { token: app.adminToken });
    expect(errors).toBeUndefined();
    expect(Object.values(data as unknown as Record<string, { errors: unknown }>).map((payload) => payload.errors)).toEqual([[]]);
  });
});
