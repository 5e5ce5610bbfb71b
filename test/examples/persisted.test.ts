/**
 * A shop that runs nothing but the committed manifest: enough for the examples and the client that
 * are in the repository.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { createPersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { parse, print } from "graphql";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import {
  AdjustStockDocument,
  ProductPageDocument,
  SearchDocument,
} from "../../examples/client/generated/operations.js";
import { createShop } from "../../examples/client/shop-client.js";
import { type ProductChange, watchProducts } from "../../examples/client/watch.js";
import { type RunningApp, startApp } from "../support/app.js";
import { type Answer, post } from "../support/graphql.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const manifestFile = `${root}persisted-documents.json`;
const manifest = JSON.parse(readFileSync(manifestFile, "utf8")) as Record<string, string>;
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({
    products: 20,
    env: { PERSISTED_DOCUMENTS: "only", PERSISTED_DOCUMENTS_FILE: manifestFile },
  });
});
afterAll(() => app?.close());

it("The manifest holds every example, and nothing else may run.", async () => {
  const examples = readdirSync(`${root}examples`).filter((name) => name.endsWith(".graphql"));
  const printed = examples.map((name) =>
    print(parse(readFileSync(`${root}examples/${name}`, "utf8"))),
  );
  expect(printed.filter((text) => manifest[`sha256:${hashOf(text)}`] !== text)).toEqual([]);
  const refused = await post(app.url, "{ products { totalCount } }");
  expect(refused).toMatchObject({ status: 403, errors: [{ extensions: { code: "FORBIDDEN" } }] });
});

it("The example client's whole documents match the manifest.", async () => {
  const { apollo, close } = createShop({ url: app.url });
  onTestFinished(close);
  const found = await apollo.query({ query: SearchDocument, variables: { first: 1 } });
  const id = found.data?.products.edges[0]?.node.id ?? "";
  const change = await new Promise<ProductChange>((resolve, reject) => {
    const stop = watchProducts(apollo, [id], { onChange: resolve, onError: reject });
    onTestFinished(stop);
  });
  expect(change.product?.stock).toEqual(expect.any(Number));
  const refused = await apollo.mutate({
    mutation: AdjustStockDocument,
    variables: { id, by: 1 },
    errorPolicy: "all",
  });
  expect(String(refused.error)).toContain("needs an admin");
});

it("A client that sends hashes alone makes the same tour.", async () => {
  const sent: { query?: string }[] = [];
  const noting: typeof fetch = (url, init) => {
    sent.push(JSON.parse(String(init?.body)) as { query?: string });
    return fetch(url, init);
  };
  const link = createPersistedQueryLink({ sha256: hashOf }).concat(
    new HttpLink({ uri: app.url, fetch: noting }),
  );
  const apollo = new ApolloClient({ link, cache: new InMemoryCache() });
  onTestFinished(() => apollo.stop());
  const { data } = await apollo.query({
    query: ProductPageDocument,
    variables: { id: "UHJvZHVjdDox", reviews: 1 },
  });
  expect(data?.product?.id).toBe("UHJvZHVjdDox");
  expect(sent.map(({ query }) => query)).toEqual([undefined]);
});

it("The command of the README runs a document of the manifest.", async () => {
  const readme = readFileSync(`${root}README.md`, "utf8");
  const [, id = ""] = /documentId=(sha256:[0-9a-f]{64})/.exec(readme) ?? [];
  expect(
    manifest[id],
    "README.md names a document that is not in the manifest: take the id of BrowseCategories",
  ).toContain("query BrowseCategories");
  const response = await fetch(`${app.url}?documentId=${id}`, {
    headers: { "apollo-require-preflight": "1" },
  });
  expect(((await response.json()) as Answer).errors).toBeUndefined();
});
