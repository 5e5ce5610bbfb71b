/**
 * What the seeded shop sells: fifty categories in a tree, and for each one that holds products, the
 * words its products are made of.
 */
import type { Branch } from "./branch.js";
import { ELECTRONICS } from "./tree-electronics.js";
import { HOME, KITCHEN } from "./tree-home.js";
import { BEAUTY, CLOTHING, GARDEN, PAPER, SPORTS, TOYS } from "./tree-leisure.js";

/** The whole shop. */
export const SHOP: readonly Branch[] = [
  HOME,
  KITCHEN,
  ELECTRONICS,
  CLOTHING,
  SPORTS,
  GARDEN,
  PAPER,
  BEAUTY,
  TOYS,
];
