/** Watching products: a stream of latest values in which a version never comes twice. */
import type { ApolloClient } from "@apollo/client";
import { WatchProductsDocument, type WatchProductsSubscription } from "./generated/operations.js";

/** The latest value of one product. */
export type ProductChange = WatchProductsSubscription["productChanged"];

/** Who is told. */
export interface Watcher {
  /** A product has a value that was not told before; its `product` is null when it was removed. */
  onChange(change: ProductChange): void;
  /** The subscription was refused, or the connection is closed for good. */
  onError(error: Error): void;
}

/**
 * Watches products until the returned function is called. After a reconnect the server sends
 * everything again: repetitions are left out here.
 */
export function watchProducts(
  apollo: ApolloClient,
  ids: string[],
  { onChange, onError }: Watcher,
): () => void {
  const told = new Map<string, string>();
  const subscription = apollo
    .subscribe({ query: WatchProductsDocument, variables: { ids } })
    .subscribe({
      next({ data, error }) {
        if (error) return onError(error);
        const change = data?.productChanged;
        if (!change || told.get(change.id) === change.version) return;
        told.set(change.id, change.version);
        onChange(change);
      },
      error: onError,
    });
  return () => subscription.unsubscribe();
}
