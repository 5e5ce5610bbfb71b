/** The form that puts a product into the cart, and says what came of it. */
import { type FormEvent, useId } from "react";
import { FailureNote } from "../ui/failure-note";
import { UserErrorsNote } from "../ui/user-errors";
import { useAddToCart } from "./use-cart";

export function AddToCart({ productId }: { productId: string }) {
  const { add, loading, error, changed } = useAddToCart();
  const id = useId();
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    void add(productId, Number(new FormData(event.currentTarget).get("quantity")));
  }
  const isDone = changed && !loading && changed.errors.length === 0;
  return (
    <form className="row" onSubmit={submit}>
      <label htmlFor={id}>Pieces</label>
      <input id={id} name="quantity" type="number" min={1} max={999} defaultValue={1} required />
      <button type="submit" disabled={loading}>
        Add to cart
      </button>
      <p role="status">
        {isDone && ["It is in your cart.", ...changed.warnings.map((one) => one.message)].join(" ")}
      </p>
      <UserErrorsNote errors={changed?.errors} />
      {error && <FailureNote error={error} />}
    </form>
  );
}
