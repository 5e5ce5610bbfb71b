/** Public names of score owners: of users and products, or the id. */

import type { UserTable } from "../../db/account/users.js";
import type { ProductTable } from "../../db/catalogue/products.js";
import { decodeIdOf, type NodeType } from "../../domain/ids.js";

export interface LabelSources {
  readonly users: Pick<UserTable, "byIds">;
  readonly products: Pick<ProductTable, "byIds">;
}

/** Labels by owner; two statements. Removed products have none. */
export async function labelOwners(
  { users, products }: LabelSources,
  owners: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const keysOf = (type: NodeType): number[] =>
    owners.map((owner) => decodeIdOf(type, owner)).filter((key) => key !== null);
  const [people, things] = await Promise.all([
    users.byIds(keysOf("User")),
    products.byIds(keysOf("Product")),
  ]);
  const peopleById = new Map(people.map(({ id, name }) => [id, name]));
  const thingsById = new Map(
    things.filter(({ removed }) => !removed).map(({ id, name }) => [id, name]),
  );
  const nameOf = (owner: string): string =>
    peopleById.get(decodeIdOf("User", owner) ?? 0) ??
    thingsById.get(decodeIdOf("Product", owner) ?? 0) ??
    owner;
  return new Map(owners.map((owner) => [owner, nameOf(owner)]));
}
