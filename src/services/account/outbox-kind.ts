/** Revocations of sessions in the outbox: written with the change that ends them, sent to Redis. */
import { z } from "zod";
import { REVOCATION_KIND, type Revocation } from "../../domain/account/session.js";
import { failuresOf, mostTelling } from "../failures.js";
import type { OutboxKind, OutboxKindSpec, ReadRow } from "../outbox/kind.js";
import type { FailClosed, NamedUser } from "./fail-closed.js";
import type { ApplyRevocation } from "./revocations.js";

type RevocationPayload = { readonly revocations: readonly Revocation[] };

const USER_ID = z.int().positive();
const EPOCH = z.int().nonnegative();
const NAME = z.string().min(1);

const REVOCATION: z.ZodType<Revocation> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("session"), userId: USER_ID, userTag: NAME, sessionId: NAME }),
  z.object({
    kind: z.literal("user"),
    userId: USER_ID,
    userTag: NAME,
    epoch: EPOCH,
    keptId: NAME.nullable(),
  }),
  z.object({ kind: z.literal("everyone"), beforeMs: EPOCH }),
]);

/** Revocations that are still to be applied. */
export const REVOCATION_SPEC: OutboxKindSpec<RevocationPayload> = {
  kind: REVOCATION_KIND,
  lists: { revocations: REVOCATION },
  losses: {
    revocations:
      "sessions that were revoked may go on in Redis until they run out; end them with " +
      "revokeAllSessions",
  },
  invalidates: false,
};

/** The collaborators of the kind. */
export interface RevocationKindDeps {
  /** Ends in Redis what was revoked, and announces it to the processes that serve it. */
  readonly apply: ApplyRevocation;
  /** Ends the sessions of users whose revocation cannot be read. */
  readonly failClosed: FailClosed;
}

export function createRevocationKind({
  apply,
  failClosed,
}: RevocationKindDeps): OutboxKind<RevocationPayload> {
  return {
    ...REVOCATION_SPEC,
    async send(row) {
      const users = unreadableUsers(row);
      if (users.length > 0) await failClosed(row.id, users);
      const failures = await failuresOf(row.payload.revocations.map(apply));
      if (failures.length > 0) throw mostTelling(failures);
      return 0;
    },
  };
}

const NAMED_BY_ID = z.object({ userId: USER_ID });
const NAMED_BY_TAG = z.object({ userTag: NAME });

/** Users of revocations that cannot be read, as far as these name one. */
export function unreadableUsers({
  unread,
}: Pick<ReadRow<RevocationPayload>, "unread">): NamedUser[] {
  return unread.revocations.flatMap((item): NamedUser[] => {
    const [byId, byTag] = [NAMED_BY_ID.safeParse(item), NAMED_BY_TAG.safeParse(item)];
    if (byId.success) return [byId.data];
    return byTag.success ? [byTag.data] : [];
  });
}
