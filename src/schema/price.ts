/**
 * Prices of fields. They are not in the SDL; docs/limits.md has
 * them.
 */
import { Extensions } from "type-graphql";
import type { ListLength, Work } from "../domain/price.js";

/**
 * Maximum length of a list field, or of every list of a type.
 * Required.
 */
export const ListSize = (listSize: ListLength) => Extensions({ listSize });

/**
 * Maximum lengths of lists in the returned object, by an
 * argument.
 */
export const SizesLists = (sizedLists: Readonly<Record<string, ListLength>>) =>
  Extensions({ sizedLists });

/** Work beside the answer. */
export const Works = (...work: readonly Work[]) => Extensions({ work });

/** Replaces the usual price of a field, or of every object of a type. */
export const Price = (complexity: number) => Extensions({ complexity });
