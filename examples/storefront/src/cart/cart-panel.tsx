/** The cart beside every page. */
import { type FragmentType, graphql, readFragment } from "../generated";
import { paths } from "../shop/route";
import { FailureNote } from "../ui/failure-note";
import { Price } from "../ui/price";
import { UserErrorsNote } from "../ui/user-errors";
import { useCart, useSetCartLine } from "./use-cart";

const CART_CONTENT = graphql(`
  fragment CartContent on Cart {
    id
    quantity
    subtotal {
      ...Price
    }
    lines {
      product {
        id
      }
      ...CartLineRow
    }
  }
`);

const CART_LINE = graphql(`
  fragment CartLineRow on CartLine {
    quantity
    available
    priceChanged
    total {
      ...Price
    }
    product {
      id
      name
    }
  }
`);

export function CartPanel() {
  const { cart, error, retry } = useCart();
  const { set, loading, error: failure, changed } = useSetCartLine();
  const { lines = [], quantity = 0, subtotal } = readFragment(CART_CONTENT, cart) ?? {};
  return (
    <section aria-labelledby="cart-heading">
      <h2 id="cart-heading">Cart</h2>
      <p role="status">{cart ? inWords(quantity) : !error && "Loading…"}</p>
      {error !== undefined && <FailureNote error={error} onRetry={retry} />}
      {failure && <FailureNote error={failure} />}
      <UserErrorsNote errors={changed?.errors} />
      <p role="status">{changed?.warnings.map(({ message }) => message).join(" ")}</p>
      <ul>
        {lines.map((line) => (
          <Line
            key={line.product.id}
            of={line}
            isBusy={loading}
            onSet={(pieces) => void set(line.product.id, pieces)}
          />
        ))}
      </ul>
      {subtotal && lines.length > 0 && (
        <p>
          Subtotal <Price of={subtotal} />
        </p>
      )}
    </section>
  );
}

const inWords = (quantity: number): string =>
  quantity === 0 ? "Your cart is empty." : `${quantity} ${quantity === 1 ? "piece" : "pieces"}`;

interface LineProps {
  of: FragmentType<typeof CART_LINE>;
  isBusy: boolean;
  onSet(quantity: number): void;
}

function Line({ of, isBusy, onSet }: LineProps) {
  const { product, quantity, total, available, priceChanged } = readFragment(CART_LINE, of);
  return (
    <li>
      <a href={paths.product(product.id)}>{product.name}</a>
      <div className="row">
        <button
          type="button"
          disabled={isBusy}
          aria-label={`One less of ${product.name}`}
          onClick={() => onSet(quantity - 1)}
        >
          −
        </button>
        <span>{quantity}</span>
        <button
          type="button"
          disabled={isBusy}
          aria-label={`One more of ${product.name}`}
          onClick={() => onSet(quantity + 1)}
        >
          +
        </button>
        <Price of={total} />
        {!available && <span className="failure">not available</span>}
        {priceChanged && <span>new price</span>}
      </div>
    </li>
  );
}
