/** Carts of guests and customers. */
import { cartConfig } from "../config/cart.js";
import { CART_DEADLINE_MS, createCartStore } from "../redis/cart/cart.js";
import { CartPayloadResolver, CartResolver } from "../resolvers/cart.js";
import { CartMutations } from "../resolvers/cart-change.js";
import { CartSubscriptions } from "../resolvers/cart-changed.js";
import { createCarts } from "../services/cart/carts.js";
import { createCartMoves } from "../services/cart/move.js";
import { defineSubject } from "./module.js";

export const cart = defineSubject({
  name: "cart",
  config: cartConfig,
  resolvers: [CartResolver, CartPayloadResolver, CartMutations, CartSubscriptions],
  open: ({ infrastructure: { callers, keys }, config, settings, log }) => ({
    topics: ["cartChanged"],
    serve() {
      const caller = callers.of("cart", {
        deadlineMs: CART_DEADLINE_MS,
        degraded: { part: "carts", instead: "carts are refused" },
      });
      const store = createCartStore(caller, keys, settings);
      const carts = createCarts({ store, moves: createCartMoves(store, log) });
      return {
        services: { carts },
        beginReads: { cart: carts.readAhead },
        resolvers: [
          new CartResolver(carts, config.currency),
          new CartPayloadResolver(),
          new CartMutations(carts),
          new CartSubscriptions(carts),
        ],
      };
    },
  }),
});
