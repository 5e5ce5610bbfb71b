/** One product, with its stock as it is now. */
import { useQuery } from "@apollo/client/react";
import { AddToCart } from "../cart/add-to-cart";
import { graphql, readFragment } from "../generated";
import { paths } from "../shop/route";
import { FailureNote } from "../ui/failure-note";
import { Page } from "../ui/page";
import { Price } from "../ui/price";
import { LiveProducts } from "./live-products";
import { Stock } from "./stock";

const PRODUCT_PAGE = graphql(`
  query ProductPage($id: ID!) {
    product(id: $id) {
      ...ProductDetails
    }
  }
`);

const DETAILS = graphql(`
  fragment ProductDetails on Product {
    id
    name
    description
    stock
    price {
      ...Price
    }
    rating {
      average
      count
    }
    brand {
      id
      name
    }
  }
`);

export function ProductPage({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(PRODUCT_PAGE, { variables: { id } });
  const product = readFragment(DETAILS, data?.product);
  if (data && !product)
    return (
      <Page title="Not for sale">
        <p>
          There is no such product any more. <a href={paths.home}>All products</a>
        </p>
      </Page>
    );
  return (
    <Page title={product?.name ?? "Product"}>
      {error && <FailureNote error={error} onRetry={() => void refetch().catch(() => {})} />}
      {!product && !error && <p role="status">Loading…</p>}
      {product && (
        <article>
          <LiveProducts ids={[product.id]} />
          <p>
            <Price of={product.price} /> · <Stock pieces={product.stock} isAnnounced />
          </p>
          <p>
            {product.brand.name} · {rated(product.rating)}
          </p>
          <AddToCart productId={product.id} />
          <p>{product.description}</p>
        </article>
      )}
    </Page>
  );
}

const rated = ({ average, count }: { average: number; count: number }): string =>
  count === 0 ? "no reviews yet" : `${average} of 5 stars in ${count} reviews`;
