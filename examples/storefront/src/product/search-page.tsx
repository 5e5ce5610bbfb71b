/** Search: every product that has all words, the most popular first. */
import { useQuery } from "@apollo/client/react";
import type { FormEvent } from "react";
import { type FragmentType, graphql, readFragment } from "../generated";
import { goTo, paths } from "../shop/route";
import { FailureNote } from "../ui/failure-note";
import { Page } from "../ui/page";
import { Price } from "../ui/price";
import { LiveProducts } from "./live-products";
import { Stock } from "./stock";

const SEARCH = graphql(`
  query Search($text: String!, $after: String) {
    products(filter: { text: $text }, sort: POPULAR, first: 12, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        cursor
        node {
          id
          ...ProductCard
        }
      }
    }
  }
`);

const CARD = graphql(`
  fragment ProductCard on Product {
    id
    name
    stock
    price {
      ...Price
    }
  }
`);

export function SearchPage({ text }: { text: string }) {
  const { data, loading, error, refetch, fetchMore } = useQuery(SEARCH, {
    variables: { text },
    notifyOnNetworkStatusChange: true,
  });
  const { edges = [], pageInfo, totalCount } = data?.products ?? {};
  const more = (): void =>
    void fetchMore({ variables: { after: pageInfo?.endCursor ?? null } }).catch(() => {});
  return (
    <Page title={text ? `Results for “${text}”` : "Products"}>
      <SearchForm key={text} text={text} />
      <p role="status">
        {data ? `${totalCount ?? edges.length} products` : loading && "Searching…"}
      </p>
      {error && <FailureNote error={error} onRetry={() => void refetch().catch(() => {})} />}
      <LiveProducts ids={edges.map(({ node }) => node.id)} />
      <ul className="cards">
        {edges.map(({ node }) => (
          <Card key={node.id} of={node} />
        ))}
      </ul>
      {pageInfo?.hasNextPage && (
        <button type="button" disabled={loading} onClick={more}>
          Show more
        </button>
      )}
    </Page>
  );
}

function SearchForm({ text }: { text: string }) {
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    goTo(paths.search(String(new FormData(event.currentTarget).get("text"))));
  }
  return (
    <search>
      <form onSubmit={submit} className="row">
        <label htmlFor="search">Search</label>
        <input id="search" name="text" type="search" maxLength={200} defaultValue={text} />
        <button type="submit">Search</button>
      </form>
    </search>
  );
}

function Card({ of }: { of: FragmentType<typeof CARD> }) {
  const { id, name, stock, price } = readFragment(CARD, of);
  return (
    <li>
      <a href={paths.product(id)}>{name}</a>
      <span>
        <Price of={price} /> · <Stock pieces={stock} />
      </span>
    </li>
  );
}
