/**
 * What fields declare about their price. Nothing of it is in the SDL; docs/limits.md says it to
 * clients.
 */
import { Extensions } from "type-graphql";
import type { ListLength, Work } from "../domain/price.js";

/**
 * How long the list of a field can be; on a type, how long every list of it can be. Every list has
 * to say it.
 */
export const ListSize = (listSize: ListLength) => Extensions({ listSize });

/**
 * How long the lists of an object can be, where an argument of the field that answers the object
 * says it.
 */
export const SizesLists = (sizedLists: Readonly<Record<string, ListLength>>) =>
  Extensions({ sizedLists });

/** Work of a field beside its answer. */
export const Works = (...work: readonly Work[]) => Extensions({ work });

/** Price of a field itself, in place of the usual one. */
export const Price = (complexity: number) => Extensions({ complexity });
