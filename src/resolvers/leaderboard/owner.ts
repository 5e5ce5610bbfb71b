/** From an entry of a leaderboard to its owner. */
import { Ctx, FieldResolver, Resolver, Root } from "type-graphql";
import { decodeId } from "../../domain/ids.js";
import { LeaderboardEntry } from "../../schema/leaderboard.js";
import { Node } from "../../schema/node.js";
import { Shared } from "../../schema/scope.js";
import type { RequestContext } from "../context.js";
import type { NodeResolver } from "../node.js";

/** The edges of an entry. */
@Resolver(() => LeaderboardEntry)
export class LeaderboardOwnerResolver {
  constructor(private readonly nodes: NodeResolver) {}

  @FieldResolver(() => String, {
    description:
      "What the owner is called in public: users and products by their names, everybody else " +
      "by the id. Plain text.",
  })
  @Shared("PUBLIC")
  async label(
    @Root() { owner, knownLabel }: LeaderboardEntry,
    @Ctx() ctx: RequestContext,
  ): Promise<string> {
    return knownLabel ?? (await ownerName(owner, ctx)) ?? owner;
  }

  @FieldResolver(() => Node, {
    nullable: true,
    description:
      "The owner itself, where it is something of this shop that the caller may see; users " +
      "see only themselves, admins everybody.",
  })
  node(@Root() { owner }: LeaderboardEntry, @Ctx() ctx: RequestContext): Promise<Node | null> {
    return this.nodes.node(owner, ctx);
  }
}

/** Names of users and products are public here. */
async function ownerName(owner: string, { loaders }: RequestContext): Promise<string | null> {
  const id = decodeId(owner);
  if (id?.type === "User") return (await loaders.user.load(id.key))?.name ?? null;
  const product = id?.type === "Product" ? await loaders.product.load(id.key) : null;
  return product && !product.removed ? product.name : null;
}
