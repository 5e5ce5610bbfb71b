/**
 * Enums: one table of values and descriptions, checked by the
 * compiler against the domain's closed list.
 */
import { registerEnumType } from "type-graphql";

/** Descriptions of an enum and its values. */
interface EnumWords<V extends string> {
  readonly name: string;
  readonly description: string;
  readonly values: Readonly<Record<V, string>>;
}

/**
 * Declares a GraphQL enum of a domain union; returns the object
 * for thunks.
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
