/**
 * How enums are declared: one table of value and description, checked by the compiler against the
 * domain's closed list.
 */
import { registerEnumType } from "type-graphql";

/** One enum: its description and that of each value. */
interface EnumWords<V extends string> {
  readonly name: string;
  readonly description: string;
  readonly values: Readonly<Record<V, string>>;
}

/**
 * Declares a GraphQL enum whose values are the words of a domain union, and returns the object that
 * thunks name it by.
 */
export function declareEnum<V extends string>({
  name,
  description,
  values,
}: EnumWords<V>): Readonly<Record<V, V>> {
  const words = Object.entries<string>(values);
  const enumObject = Object.fromEntries(words.map(([word]) => [word, word])) as Record<V, V>;
  const valuesConfig = Object.fromEntries(
    words.map(([word, text]) => [word, { description: text }]),
  ) as Record<V, { description: string }>;
  registerEnumType(enumObject, { name, description, valuesConfig });
  return enumObject;
}
