/** Revocations in the outbox: committed with their cause, sent to Redis. */
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

export interface RevocationKindDeps {
  /** Ends sessions in Redis, and publishes that. */
  readonly apply: ApplyRevocation;
  /** For users whose revocation cannot be read. */
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

/** Users that unreadable revocations name. */
export function unreadableUsers({
  unread,
}: Pick<ReadRow<RevocationPayload>, "unread">): NamedUser[] {
  return unread.revocations.flatMap((item): NamedUser[] => {
    const [byId, byTag] = [NAMED_BY_ID.safeParse(item), NAMED_BY_TAG.safeParse(item)];
    if (byId.success) return [byId.data];
    return byTag.success ? [byTag.data] : [];
  });
}
