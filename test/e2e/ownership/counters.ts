/** Counters of products: who may name them. */
import { CATALOGUE, open, type Rows } from "../ownership-row.js";

const COUNTED =
  "each user's are their own, guests share theirs; a repeated one answers public counters " +
  "and nothing else";

export const rows: Rows = {
  "Subscription.productStatsChanged(productId)": open(CATALOGUE),
  "Mutation.trackView(productId)": open(CATALOGUE),
  "Mutation.trackView(operationId)": open(COUNTED),
  "Mutation.share(productId)": open(CATALOGUE),
  "Mutation.share(operationId)": open(COUNTED),
  "Mutation.like(productId)": open(CATALOGUE),
  "Mutation.unlike(productId)": open(CATALOGUE),
};
