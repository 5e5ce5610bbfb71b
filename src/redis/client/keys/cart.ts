import type { KeySubject } from "./spec.js";

export const CART_KEYS = {
  folder: "cart",
  title: "Carts",
  owner: "redis/cart/cart.ts",
  commands: ["hgetall", "pttl", "time"],
  families: {
    cart: {
      key: "cart:{<owner>}",
      type: "hash",
      ttl: "CART_TTL_MS since the last use, and a day",
      bound: "owners of a cart; 200 lines each",
      value:
        "Product → `<quantity>:<price of one at adding>:<place in the order of adding>`, and " +
        "`cart` → `<version>|<expires, ms>`: an empty cart from then on, whatever the hash " +
        "holds. The owner is `user:<key>` or `guest:<id>`. Once a guest has signed in `cart` " +
        "goes on with `|<key of the account>|<merge>|<until, ms>`; the last is empty until the " +
        "lines have arrived, then it says how long writes are followed.",
      deleted: "Empties the cart. Never delete one whose lines are on their way to an account.",
    },
    cartOperations: {
      key: "cart-operations:{<owner>}",
      type: "hash",
      ttl: "a day since the last write",
      bound: "owners who wrote within a day; 512 operations each",
      value:
        "SHA-256 of the operation id → `<made, ms>|<fingerprint of the arguments>|<pieces asked " +
        "for and not given>|<price before>`.",
    },
    cartTry: {
      key: "cart-try:{<owner>}:<try>",
      type: "string",
      ttl: "a minute",
      bound: "changes of the last minute to which callers gave no operation id",
      value:
        "A value as in cartOperations, for a change that the server may have to send a second " +
        "time.",
    },
    cartMerge: {
      key: "cart-merge:{<owner>}:<merge>",
      type: "string",
      ttl: "CART_TTL_MS and two days",
      bound: "sign-ins of guests with something in their cart",
      value: "`1`: this merge is done. It is named `<guest>:<version of the guest's cart>`.",
    },
  },
} as const satisfies KeySubject;
