/** The catalogue: products, categories, brands and reviews. */
import { createBrandTable } from "../db/catalogue/brands.js";
import { createCategoryTable } from "../db/catalogue/categories.js";
import { createProductTable } from "../db/catalogue/products.js";
import { createReviewTable } from "../db/catalogue/reviews.js";
import { createOperationTable } from "../db/operations.js";
import { createCatalogueLoaders } from "../loaders/catalogue.js";
import { BrandConnectionResolver, BrandResolver } from "../resolvers/brand.js";
import { CategoryResolver } from "../resolvers/category.js";
import { ProductMutations } from "../resolvers/product/change.js";
import { ProductSubscriptions } from "../resolvers/product/changed.js";
import { ProductConnectionResolver, ProductResolver } from "../resolvers/product/product.js";
import { ReviewConnectionResolver, ReviewResolver } from "../resolvers/review.js";
import { ReviewMutations } from "../resolvers/review-change.js";
import { createProducts } from "../services/catalogue/products.js";
import { createReviews } from "../services/catalogue/reviews.js";
import { defineSubject } from "./module.js";

export const catalogue = defineSubject({
  name: "catalogue",
  resolvers: [
    ProductResolver,
    ProductConnectionResolver,
    ProductMutations,
    ProductSubscriptions,
    CategoryResolver,
    BrandResolver,
    BrandConnectionResolver,
    ReviewResolver,
    ReviewConnectionResolver,
    ReviewMutations,
  ],
  open: ({ infrastructure, config: { currency } }) => ({
    topics: ["productChanged", "catalogueChanged"],
    serve() {
      const { database, cache } = infrastructure;
      const tables = {
        products: createProductTable(database),
        categories: createCategoryTable(database),
        brands: createBrandTable(database),
        reviews: createReviewTable(database),
      };
      const operations = createOperationTable(database);
      const products = createProducts({ ...infrastructure, ...tables, operations });
      const reviews = createReviews({ ...infrastructure, ...tables });
      return {
        services: { products, reviews },
        loaders: (reading) => createCatalogueLoaders({ cache, ...tables }, reading),
        resolvers: [
          new ProductResolver(currency),
          new ProductConnectionResolver(currency),
          new ProductMutations(products, currency),
          new ProductSubscriptions(currency),
          new CategoryResolver(),
          new BrandResolver(),
          new BrandConnectionResolver(),
          new ReviewResolver(currency),
          new ReviewConnectionResolver(),
          new ReviewMutations(reviews),
        ],
      };
    },
  }),
});
