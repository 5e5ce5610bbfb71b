/** Carts: who may name them. */
import { encodeId } from "../../../src/domain/ids.js";
import { CATALOGUE, open, owned, type Rows } from "../ownership-row.js";

/** In stock, in every seed. */
const SOLD = encodeId("Product", 3);

export const rows: Rows = {
  "Mutation.addToCart(productId)": open(CATALOGUE),
  "Mutation.setCartLine(productId)": open(CATALOGUE),
  "Mutation.addToCart(operationId)": owned({
    operation:
      `mutation ($id: ID!) { addToCart(productId: "${SOLD}", quantity: 2, operationId: $id) { ` +
      "errors { code message field } } }",
    theirs: async ({ owner, asOwner }) => {
      await asOwner(
        `mutation ($id: ID!) { addToCart(productId: "${SOLD}", operationId: $id) { errors { ` +
          "code } } }",
        { id: owner.id },
      );
      return owner.id;
    },
    missing: () => "an operation that was never sent",
  }),
};
