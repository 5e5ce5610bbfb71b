/**
 * Documents over a schema, made from a list of numbers, so that fast-check can shrink them.
 * Arguments are left to the caller.
 */
import {
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isObjectType,
} from "graphql";

/**
 * Writes a random selection of `type`, and the fragments that it spreads. `args` spells the
 * arguments of a field, parentheses included.
 */
export function randomSelection(
  schema: GraphQLSchema,
  type: GraphQLCompositeType,
  {
    choices,
    depth = 4,
    args = () => "",
  }: { choices: readonly number[]; depth?: number; args?: (type: string, field: string) => string },
): { selection: string; fragments: string } {
  let at = 0;
  let fragments = 0;
  const written: string[] = [];
  const choose = <T>(options: readonly T[]): T =>
    options[(choices[at++ % choices.length] ?? 0) % options.length]!;

  function field(of: GraphQLCompositeType, left: number): string {
    const all = isObjectType(of) || isInterfaceType(of) ? Object.values(of.getFields()) : [];
    const fitting = all.filter((one) => left > 0 || isLeafType(getNamedType(one.type)));
    if (fitting.length === 0) return "__typename";
    const { name, type: returned } = choose(fitting);
    const named = getNamedType(returned);
    const text = `${name}${args(of.name, name)}`;
    return isCompositeType(named) ? `${text}${selectionOf(named, left - 1)}` : text;
  }

  /** Types that a fragment on `of` may name. */
  function conditions(of: GraphQLCompositeType): GraphQLCompositeType[] {
    const objects = isAbstractType(of) ? [...schema.getPossibleTypes(of)] : [of];
    const abstract = Object.values(schema.getTypeMap()).filter((type) => isAbstractType(type));
    return [
      ...objects,
      ...abstract.filter((type) => objects.some((object) => schema.isSubType(type, object))),
    ];
  }

  function item(of: GraphQLCompositeType, left: number): string {
    const kind = choose(["field", "field", "field", "inline", "bare", "spread"]);
    if (kind === "field" || left === 0) return field(of, left);
    if (kind === "bare") return `... ${selectionOf(of, left - 1)}`;
    const on = choose(conditions(of));
    if (kind === "inline") return `... on ${on.name} ${selectionOf(on, left - 1)}`;
    const name = `F${++fragments}`;
    written.push(`fragment ${name} on ${on.name} ${selectionOf(on, left - 1)}`);
    return `...${name}`;
  }

  function selectionOf(of: GraphQLCompositeType, left: number): string {
    const items = Array.from({ length: choose([1, 2, 3]) }, () => item(of, left));
    return ` { ${items.join(" ")} }`;
  }
  return { selection: selectionOf(type, depth), fragments: written.join("\n") };
}
