/** Carts. */
import { DAY, SECOND } from "../domain/time/time.js";
import { definePart } from "./part.js";
import { count } from "./values.js";

export const cartConfig = definePart(
  {
    CART_TTL_MS: count(7 * DAY, SECOND).describe("how long a cart is kept since its last use"),
  },
  (env) => ({ ttlMs: env.CART_TTL_MS }),
);
