/** Products, categories, brands and reviews: who may name them. */
import { CATALOGUE, CURSOR, OPERATION, open, type Rows } from "../ownership-row.js";

const ADMINS_CHANGE = "names a public thing; who is no admin is refused before it is looked at";

export const rows: Rows = {
  "node(Product)": open(CATALOGUE),
  "nodes(Product)": open(CATALOGUE),
  "node(Category)": open(CATALOGUE),
  "nodes(Category)": open(CATALOGUE),
  "node(Brand)": open(CATALOGUE),
  "nodes(Brand)": open(CATALOGUE),
  "node(Review)": open(
    "reviews are shown to all callers, with the name of their author and nothing else of them",
  ),
  "nodes(Review)": open(
    "reviews are shown to all callers, with the name of their author and nothing else of them",
  ),
  "Query.product(id)": open(CATALOGUE),
  "Query.category(id)": open(CATALOGUE),
  "Query.products(filter.brandId)": open(CATALOGUE),
  "Query.products(filter.categoryId)": open(CATALOGUE),
  "Query.products(after)": open(CURSOR),
  "Query.brands(after)": open(CURSOR),
  "Category.products(after)": open(CURSOR),
  "Product.reviews(after)": open(CURSOR),
  "Subscription.productChanged(ids)": open(CATALOGUE),
  "Mutation.upsertProduct(input.brandId)": open(ADMINS_CHANGE),
  "Mutation.upsertProduct(input.categoryId)": open(ADMINS_CHANGE),
  "Mutation.adjustStock(id)": open(ADMINS_CHANGE),
  "Mutation.adjustStock(operationId)": open(OPERATION),
  "Mutation.removeProduct(id)": open(ADMINS_CHANGE),
  "Mutation.addReview(input.productId)": open(CATALOGUE),
};
