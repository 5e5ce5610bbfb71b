/** The cart of this browser, the same in every tab and on every device of its owner. */
import type { ApolloCache } from "@apollo/client";
import { useMutation, useQuery, useSubscription } from "@apollo/client/react";
import { useViewer } from "../account/use-viewer";
import { graphql, readFragment } from "../generated";
import type { CartQuery } from "../generated/graphql";
import { useShop } from "../shop/use-shop";

const CART = graphql(`
  query Cart {
    cart {
      id
      version
      ...CartContent
    }
  }
`);

const WATCH_CART = graphql(`
  subscription WatchCart {
    cartChanged {
      id
      version
      ...CartContent
    }
  }
`);

const ADD_TO_CART = graphql(`
  mutation AddToCart($productId: ID!, $quantity: Int!, $operationId: ID!) {
    addToCart(productId: $productId, quantity: $quantity, operationId: $operationId) {
      ...CartChange
    }
  }
`);

const SET_CART_LINE = graphql(`
  mutation SetCartLine($productId: ID!, $quantity: Int!, $expectedVersion: Int!) {
    setCartLine(productId: $productId, quantity: $quantity, expectedVersion: $expectedVersion) {
      ...CartChange
    }
  }
`);

export const CART_CHANGE = graphql(`
  fragment CartChange on CartPayload {
    cart {
      id
      version
      ...CartContent
    }
    warnings {
      message
    }
    errors {
      ...UserErrorNote
    }
  }
`);

export interface CartState {
  readonly cart: CartQuery["cart"] | undefined;
  readonly error: unknown;
  /** Reads and watches it again after an error. */
  readonly retry: () => void;
}

/**
 * The cart, live. A guest without a cart watches nothing: the shop would make a guest for the
 * socket alone, who is not the one that the cookie will name.
 */
export function useCart(): CartState {
  const { viewer } = useViewer();
  const { data, error, refetch } = useQuery(CART);
  const isOwned = viewer != null || (data?.cart.version ?? 0) > 0;
  const watched = useSubscription(WATCH_CART, {
    skip: !isOwned,
    fetchPolicy: "no-cache",
    onData({ client, data: event }) {
      if (event.data) client.writeQuery({ query: CART, data: { cart: event.data.cartChanged } });
    },
  });
  return {
    cart: data?.cart,
    error: error ?? watched.error,
    retry() {
      if (error) void refetch().catch(() => {});
      if (watched.error) watched.restart();
    },
  };
}

/** Adds pieces of a product. `changed` says what came of it. */
export function useAddToCart() {
  const shop = useShop();
  const [mutate, { data, loading, error }] = useMutation(ADD_TO_CART, {
    fetchPolicy: "no-cache",
    errorPolicy: "all",
  });
  async function add(productId: string, quantity: number): Promise<void> {
    const held = heldCart(shop.apollo.cache);
    const variables = { productId, quantity, operationId: newId() };
    const answer = await mutate({ variables });
    const changed = readFragment(CART_CHANGE, answer.data?.addToCart);
    const isSame = held !== undefined && held.version > 0 && held.id === changed?.cart?.id;
    // The first write of a guest makes the guest, whose cookie the socket does not have yet.
    if (changed?.cart && !isSame) await shop.identityChanged();
    else keepNewest(shop.apollo.cache, changed);
  }
  return { add, loading, error, changed: readFragment(CART_CHANGE, data?.addToCart) };
}

/** Sets the pieces of a line; refused where the cart is not the one that was seen. */
export function useSetCartLine() {
  const { apollo } = useShop();
  const [mutate, { data, loading, error }] = useMutation(SET_CART_LINE, {
    fetchPolicy: "no-cache",
    errorPolicy: "all",
  });
  async function set(productId: string, quantity: number): Promise<void> {
    const expectedVersion = heldCart(apollo.cache)?.version ?? 0;
    const answer = await mutate({ variables: { productId, quantity, expectedVersion } });
    keepNewest(apollo.cache, readFragment(CART_CHANGE, answer.data?.setCartLine));
  }
  return { set, loading, error, changed: readFragment(CART_CHANGE, data?.setCartLine) };
}

const heldCart = (cache: ApolloCache) => cache.readQuery({ query: CART })?.cart;

/**
 * Answers may come later than the events of later changes. So they are not written by themselves,
 * and one of an older version not at all.
 */
function keepNewest(
  cache: ApolloCache,
  changed: { readonly cart: CartQuery["cart"] | null } | null | undefined,
): void {
  const cart = changed?.cart;
  const held = heldCart(cache);
  if (!cart || (held?.id === cart.id && held.version > cart.version)) return;
  cache.writeQuery({ query: CART, data: { cart } });
}

/** Random, also where the page is not a secure context and has no `crypto.randomUUID`. */
const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
