/**
 * A cart from guest to customer: somebody unknown fills it, signs in, and finds it on another
 * device.
 *
 *     npx tsc -p examples/client && node examples/client/dist/cart.js <url> <email> <password>
 */
import { randomUUID } from "node:crypto";
import type { ApolloClient } from "@apollo/client";
import {
  AddToCartDocument,
  CartDocument,
  SearchDocument,
  SignInDocument,
} from "./generated/operations.js";
import { createShop } from "./shop-client.js";

const [url = "http://127.0.0.1:4000/graphql", email = "", password = ""] = process.argv.slice(2);

const guest = createShop({ url });
try {
  const name = await addSomething(guest.apollo);
  console.log(`as a guest: ${await describeCart(guest.apollo)}`);
  const token = await signIn(guest.apollo);
  const elsewhere = createShop({ url, token });
  console.log(`signed in, on another device: ${await describeCart(elsewhere.apollo)}`);
  console.log(`${name} came along`);
  await elsewhere.close();
} finally {
  await guest.close();
}

/**
 * Puts the most popular product into the cart. The id of the operation makes it safe to send again
 * when no answer comes.
 */
async function addSomething(apollo: ApolloClient): Promise<string> {
  const { data } = await apollo.query({
    query: SearchDocument,
    variables: { filter: { inStock: true }, sort: "POPULAR", first: 1 },
  });
  const product = data?.products.edges[0]?.node;
  if (!product) throw new Error("The shop is empty. `npm run seed` fills it.");
  const added = await apollo.mutate({
    mutation: AddToCartDocument,
    variables: { productId: product.id, quantity: 1, operationId: randomUUID() },
  });
  refuse(added.data?.addToCart.errors);
  return product.name;
}

async function describeCart(apollo: ApolloClient): Promise<string> {
  const { data } = await apollo.query({ query: CartDocument, fetchPolicy: "network-only" });
  const { lines = [], subtotal } = data?.cart ?? {};
  return (
    `${lines.map(({ quantity, product }) => `${quantity} × ${product.name}`).join(", ")} for ` +
    `${subtotal?.amount} ${subtotal?.currency}`
  );
}

async function signIn(apollo: ApolloClient): Promise<string> {
  const { data } = await apollo.mutate({
    mutation: SignInDocument,
    variables: { input: { email, password, deliver: "TOKEN" } },
  });
  refuse(data?.signIn.errors);
  return data?.signIn.token ?? "";
}

function refuse(errors: readonly { readonly code: string; readonly message: string }[] = []): void {
  if (errors.length > 0)
    throw new Error(errors.map(({ code, message }) => `${code}: ${message}`).join("\n"));
}
