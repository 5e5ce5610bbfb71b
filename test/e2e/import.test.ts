/** An import beside a running shop: what is cached and what is watched follows it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "graphql-ws";
import { expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { run } from "../cli/run-command.js";
import { startApp } from "../support/app.js";
import { temporaryFolder } from "../support/files.js";
import { post } from "../support/graphql.js";
import { ensureBuilt } from "../support/node-process.js";
import { until } from "../support/until.js";

const PRODUCT = "query Product($id: ID!) { product(id: $id) { sku name price { amount } } }";
const WATCH =
  "subscription Watch($ids: [ID!]!) { productChanged(ids: $ids) { product { price { amount } } } }";

it("An import reaches the cache and watchers of a running shop, announced once.", async () => {
  ensureBuilt();
  const app = await startApp();
  onTestFinished(() => app.close());
  const folder = await temporaryFolder("import");
  onTestFinished(() => folder.remove());

  const { data } = await post(app.url, "{ products(first: 2) { edges { node { id sku name } } } }");
  const [first, second] = data.products!.edges!.map(({ node }) => ({
    id: String(node!.id),
    sku: String(node!.sku),
  }));
  const cached = async (id: string) =>
    Number((await post(app.url, PRODUCT, { id })).data.product!.price!.amount);
  await Promise.all([cached(first!.id), cached(second!.id)]);
  const client = createClient({ url: app.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  onTestFinished(() => void client.dispose());
  const changes = client.iterate<{ productChanged: { product: { price: { amount: number } } } }>({
    query: WATCH,
    variables: { ids: [first!.id] },
  });
  await changes.next();

  const rows = [first, second].map(
    (product, index) => `${product!.sku},Imported,,Home > Imported,Importer,${111 + index},EUR,7`,
  );
  const file = join(folder.path, "products.csv");
  await writeFile(
    file,
    ["sku,name,description,category,brand,price,currency,stock", ...rows, ""].join("\n"),
  );
  expect(await run("import", [file], { DATABASE_URL: app.database.url })).toMatchObject({
    code: 0,
  });

  expect((await changes.next()).value.data?.productChanged.product.price.amount).toBe(111);
  await until("the cached one to follow", async () => (await cached(second!.id)) === 112);
  const imported = await post(
    app.url,
    '{ products(filter: { text: "Imported" }) { totalCount } brands(text: "Importer") { ' +
      "totalCount } }",
  );
  expect(imported.data).toEqual({ products: { totalCount: 2 }, brands: { totalCount: 1 } });
});
