/**
 * Buyers of tests: clients that keep the guest they were made, or the token of a session, and see
 * carts whole.
 */
import { randomUUID } from "node:crypto";
import { type Answer, patiently, post } from "./graphql.js";

/** A cart as buyers see it. */
export interface SeenCart {
  readonly id: string;
  readonly version: number;
  readonly quantity: number;
  readonly expiresAt: string;
  readonly subtotal: { readonly amount: number; readonly currency: string };
  readonly lines: readonly SeenLine[];
}

/** A line as buyers see it. */
export interface SeenLine {
  readonly product: { readonly id: string; readonly name: string };
  readonly quantity: number;
  readonly unitPrice: { readonly amount: number };
  readonly total: { readonly amount: number };
  readonly priceChanged: boolean;
  readonly available: boolean;
}

/** What became of a change. */
export interface Changed {
  readonly cart: SeenCart | null;
  readonly errors: readonly { readonly code: string; readonly field: readonly string[] | null }[];
  readonly warnings: readonly { readonly code: string; readonly productId: string | null }[];
}

export const CART = `{ id version quantity expiresAt subtotal { amount currency }
  lines { product { id name } quantity unitPrice { amount } total { amount }
    priceChanged available } }`;
const CHANGED = `{ cart ${CART} errors { code field } warnings { code productId } }`;
export const CART_CHANGED = `subscription { cartChanged ${CART} }`;

/** One client. */
export interface Buyer {
  /** The guest's token; null until the client was made one. */
  guest: string | null;
  /** The session's token. */
  token: string | null;
  /** Any operation, as this client. */
  ask(query: string, variables?: Record<string, unknown>): Promise<Answer>;
  cart(): Promise<SeenCart>;
  add(
    productId: string,
    options?: { quantity?: number | null; operationId?: string },
  ): Promise<Changed>;
  set(productId: string, quantity: number, expectedVersion?: number): Promise<Changed>;
  clear(expectedVersion?: number): Promise<Changed>;
}

/** Makes a client that nobody knows yet, unless it brings something. */
export function createBuyer(
  url: string,
  { guest = null, token = null }: { guest?: string | null; token?: string | null } = {},
): Buyer {
  const change = async (
    name: string,
    args: string,
    variables: Record<string, unknown>,
  ): Promise<Changed> => {
    const ask = () => buyer.ask(`mutation Change${args} ${CHANGED} }`, variables);
    const { data, errors } = await (variables.operationId ? patiently(ask) : ask());
    if (errors) throw new Error(errors[0]?.extensions.code);
    return data[name] as unknown as Changed;
  };
  const buyer: Buyer = {
    guest,
    token,
    async ask(query, variables = {}) {
      const headers: Record<string, string> = buyer.guest ? { "souk-guest": buyer.guest } : {};
      const answer = await post(url, query, variables, {
        ...(buyer.token ? { token: buyer.token } : {}),
        headers,
      });
      buyer.guest = answer.guest ?? buyer.guest;
      return answer;
    },
    async cart() {
      const { data, errors } = await patiently(() => buyer.ask(`{ cart ${CART} }`));
      if (errors) throw new Error(errors[0]?.extensions.code);
      return data.cart as unknown as SeenCart;
    },
    add: (productId, { quantity = 1, operationId = randomUUID() } = {}) =>
      change(
        "addToCart",
        "($productId: ID!, $quantity: Int, $operationId: ID) { addToCart(productId: " +
          "$productId, quantity: $quantity, operationId: $operationId)",
        { productId, quantity, operationId },
      ),
    set: (productId, quantity, expectedVersion) =>
      change(
        "setCartLine",
        "($productId: ID!, $quantity: Int!, $expectedVersion: Int) { setCartLine(productId: " +
          "$productId, quantity: $quantity, expectedVersion: $expectedVersion)",
        { productId, quantity, expectedVersion },
      ),
    clear: (expectedVersion) =>
      change(
        "clearCart",
        "($expectedVersion: Int) { clearCart(expectedVersion: $expectedVersion)",
        { expectedVersion },
      ),
  };
  return buyer;
}

/** What is in a cart: product → quantity. */
export const contentsOf = ({ lines }: Pick<SeenCart, "lines">): Record<string, number> =>
  Object.fromEntries(lines.map(({ product, quantity }) => [product.id, quantity]));
