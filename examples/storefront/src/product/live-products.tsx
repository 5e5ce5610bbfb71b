/**
 * Products as they are now. Each event is the whole product, which Apollo writes over the one of
 * the same id: everything on the page that shows it follows.
 */
import { useSubscription } from "@apollo/client/react";
import { graphql } from "../generated";
import { FailureNote } from "../ui/failure-note";

const WATCH_PRODUCTS = graphql(`
  subscription WatchProducts($ids: [ID!]!) {
    productChanged(ids: $ids) {
      id
      version
      product {
        ...ProductLive
      }
    }
  }
`);

/** What may change while it is shown. */
graphql(`
  fragment ProductLive on Product {
    id
    name
    stock
    price {
      ...Price
    }
    rating {
      average
      count
    }
  }
`);

/** The shop lets one subscription watch this many. */
const MAX_WATCHED = 100;

/** Keeps these products live for as long as it is mounted; shows only its failures. */
export function LiveProducts({ ids }: { ids: readonly string[] }) {
  const { error, restart } = useSubscription(WATCH_PRODUCTS, {
    variables: { ids: ids.slice(0, MAX_WATCHED) },
    skip: ids.length === 0,
    onData({ client: { cache }, data: { data } }) {
      if (!data || data.productChanged.product) return;
      // It was removed. Lists leave it out from now on, and its page asks the shop again.
      const { id } = data.productChanged;
      cache.evict({ id: cache.identify({ __typename: "Product", id }) ?? "" });
      cache.gc();
    },
  });
  return error ? <FailureNote error={error} onRetry={restart} /> : null;
}
