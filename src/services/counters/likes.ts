/** Likes of signed-in users. Repeating one changes nothing. */
import type { LikeTable } from "../../db/counters/likes.js";
import { type Principal, requireUser } from "../../domain/account/principal.js";
import { likesTag } from "../../domain/catalogue/tags.js";
import type { UserError } from "../../domain/errors.js";
import { changeEntry } from "../../domain/events/outbox.js";
import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import { createWriteWithOutbox, type OutboxWriteDeps } from "../outbox/write-with-outbox.js";

/** `seen` is the consistency token; null when nothing changed. */
export interface LikeOutcome {
  readonly errors: readonly UserError[];
  readonly seen: ConsistencyToken | null;
}

/** Both methods throw Unauthenticated. */
export interface Likes {
  like(principal: Principal, productId: number): Promise<LikeOutcome>;
  unlike(principal: Principal, productId: number): Promise<LikeOutcome>;
}

export interface LikesDeps extends OutboxWriteDeps {
  readonly likes: Pick<LikeTable, "add" | "remove">;
}

export function createLikes({ likes, ...deps }: LikesDeps): Likes {
  const write = createWriteWithOutbox(deps);
  const change = async (
    how: "add" | "remove",
    principal: Principal,
    productId: number,
  ): Promise<LikeOutcome> => {
    const { userId } = requireUser(principal);
    const { decision, seen } = await write(async (tx) => {
      const changed = await likes[how](tx, { productId, userId });
      if (typeof changed === "string") return { decision: [GONE[changed]], owes: [] };
      if (changed.likes === null) return { decision: [], owes: [] };
      const event = {
        topic: { kind: "productStatsChanged", id: productId },
        version: changed.version,
      } as const;
      return {
        decision: [],
        owes: [changeEntry({ tags: [likesTag(productId)], events: [event] })],
      };
    });
    return { errors: decision, seen };
  };
  return {
    like: (principal, productId) => change("add", principal, productId),
    unlike: (principal, productId) => change("remove", principal, productId),
  };
}

const gone = (code: UserError["code"], message: string): UserError => ({
  code,
  message,
  field: ["productId"],
});

const GONE = {
  missing: gone("NOT_FOUND", "There is no product with this id."),
  removed: gone("PRODUCT_REMOVED", "The product was removed from the shop."),
} as const;
