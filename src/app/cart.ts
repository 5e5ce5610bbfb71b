/** Carts of guests and customers. */
import { createCartStore } from "../redis/cart/cart.js";
import { CartPayloadResolver, CartResolver } from "../resolvers/cart.js";
import { CartMutations } from "../resolvers/cart-change.js";
import { CartSubscriptions } from "../resolvers/cart-changed.js";
import { createCarts } from "../services/cart/carts.js";
import { createCartMoves } from "../services/cart/move.js";
import { defineSubject } from "./module.js";

export const cart = defineSubject({
  name: "cart",
  resolvers: [CartResolver, CartPayloadResolver, CartMutations, CartSubscriptions],
  open: ({ infrastructure: { requests, keys }, config, log }) => ({
    topics: ["cartChanged"],
    serve() {
      const store = createCartStore(requests, keys, config.carts);
      const carts = createCarts({ store, moves: createCartMoves(store, log) });
      return {
        services: { carts },
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
