/**
 * The seeded shop: fifty categories in a tree. Each one with
 * products has the words for them.
 */
import type { Branch } from "./branch.js";
import { ELECTRONICS } from "./tree-electronics.js";
import { HOME, KITCHEN } from "./tree-home.js";
import { BEAUTY, CLOTHING, GARDEN, PAPER, SPORTS, TOYS } from "./tree-leisure.js";

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
