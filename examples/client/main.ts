/**
 * A tour in one minute: reads products, watches one, and with a service token changes it and sees
 * the change arrive.
 *
 *     npx tsc -p examples/client && node examples/client/dist/main.js [url]
 *
 * ADMIN_TOKEN in the environment is the service token that `npm start` prints; without it the tour
 * only reads and watches.
 */
import { randomUUID } from "node:crypto";
import {
  AdjustStockDocument,
  ProductPageDocument,
  SearchDocument,
} from "./generated/operations.js";
import { createShop, type Shop } from "./shop-client.js";
import { type ProductChange, watchProducts } from "./watch.js";

const url = process.argv[2] ?? "http://127.0.0.1:4000/graphql";
const token = process.env.ADMIN_TOKEN;

const shop = createShop({ url, token });
try {
  await tour(shop);
} finally {
  await shop.close();
}

async function tour({ apollo }: Shop): Promise<void> {
  const { data } = await apollo.query({
    query: SearchDocument,
    variables: { filter: { inStock: true }, sort: "POPULAR", first: 3 },
  });
  const products = data?.products.edges.map(({ node }) => node) ?? [];
  for (const { name, price, rating } of products)
    console.log(
      `${name}: ${price.amount} ${price.currency} minor units, ${rating.average} of 5 stars`,
    );

  const [favourite] = products;
  if (!favourite) return console.log("The shop is empty. `npm run seed` fills it.");
  await watchAndChange({ apollo }, favourite.id);
}

async function watchAndChange({ apollo }: Pick<Shop, "apollo">, id: string): Promise<void> {
  const changes = listen(apollo, id);
  const first = await changes.next();
  console.log(
    `watching ${first.product?.name}: ${first.product?.stock} in stock, version ${first.version}`,
  );
  if (token) {
    await addToStock({ apollo }, id);
    const changed = await changes.next();
    console.log(`told of ${changed.product?.stock} in stock, version ${changed.version}`);
  }
  changes.stop();
}

/**
 * Adds one piece, then reads the product again: the answer is the new value, whichever server gives
 * it.
 */
async function addToStock({ apollo }: Pick<Shop, "apollo">, id: string): Promise<void> {
  const { data } = await apollo.mutate({
    mutation: AdjustStockDocument,
    variables: { id, by: 1, operationId: randomUUID() },
  });
  const errors = data?.adjustStock.errors ?? [];
  if (errors.length > 0)
    throw new Error(errors.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  const read = await apollo.query({
    query: ProductPageDocument,
    variables: { id, reviews: 1 },
    fetchPolicy: "network-only",
  });
  console.log(
    `changed to ${data?.adjustStock.product?.stock} in stock, read back ` +
      `${read.data?.product?.stock}`,
  );
}

/** Turns the callbacks of a watch into promises, one for each change. */
function listen(
  apollo: Shop["apollo"],
  id: string,
): { next(): Promise<ProductChange>; stop(): void } {
  const waiting: { resolve(change: ProductChange): void; reject(error: Error): void }[] = [];
  const arrived: ProductChange[] = [];
  const stop = watchProducts(apollo, [id], {
    onChange: (change) =>
      waiting.length > 0 ? waiting.shift()?.resolve(change) : arrived.push(change),
    onError: (error) => waiting.shift()?.reject(error),
  });
  return {
    stop,
    next: () =>
      new Promise((resolve, reject) =>
        arrived[0]
          ? resolve(arrived.splice(0, 1)[0] as ProductChange)
          : waiting.push({ resolve, reject }),
      ),
  };
}
