/** An amount of money as people of this browser's language write it. */
import { type FragmentType, graphql, readFragment } from "../generated";

const PRICE = graphql(`
  fragment Price on Money {
    amount
    currency
  }
`);

export function Price({ of }: { of: FragmentType<typeof PRICE> }) {
  const { amount, currency } = readFragment(PRICE, of);
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  // Amounts are in minor units: 1999 with EUR is 19.99 euros, with JPY 1999 yen.
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return <span className="price">{format.format(amount / 10 ** digits)}</span>;
}
