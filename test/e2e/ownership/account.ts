/** Users and sessions: who may name them. */
import { adminOnly, NO_USER, owned, type Rows } from "../ownership-row.js";

/** In no store. */
const A_SESSION = "A".repeat(43);

export const rows: Rows = {
  "node(User)": owned({
    operation:
      "query ($id: ID!) { node(id: $id) { __typename id ... on User { name role createdAt } } }",
    theirs: ({ owner }) => owner.id,
    missing: () => NO_USER,
  }),
  "nodes(User)": owned({
    operation:
      "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on User { name role " +
      "createdAt } } }",
    theirs: ({ owner }) => ({ ids: [owner.id, NO_USER] }),
    missing: () => ({ ids: [NO_USER, NO_USER] }),
  }),
  "Mutation.revokeSession(id)": owned({
    operation:
      "mutation ($id: ID!) { revokeSession(id: $id) { revoked errors { code message field } } }",
    theirs: async ({ asOwner }) => {
      const { data } = await asOwner("{ viewer { sessions { id } } }");
      return String(data.viewer!.sessions![0]!.id);
    },
    missing: () => A_SESSION,
  }),
  "Mutation.revokeAllSessions(input.userId)": adminOnly({
    operation:
      "mutation ($id: ID!) { revokeAllSessions(input: { userId: $id }) { revoked errors { " +
      "code message field } } }",
    theirs: ({ owner }) => owner.id,
    missing: () => NO_USER,
  }),
};
