/** Users and sessions: who may name them. */
import { encodeCursor } from "../../../src/domain/page.js";
import { adminOnly, NO_USER, owned, type Rows, type Shop } from "../ownership-row.js";

/** In no store. */
const A_SESSION = "A".repeat(43);

/** The cursor of the newest item of a list of admins; something follows it. */
async function newestOf({ asAdmin }: Shop, list: "users" | "auditLog"): Promise<string> {
  const { data } = await asAdmin(`{ ${list}(first: 1) { pageInfo { endCursor } } }`);
  return String(data[list]!.pageInfo!.endCursor);
}

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
  "Query.user(id)": adminOnly({
    operation:
      "query ($id: ID!) { user(id: $id) { email user { id name } sessions { id device ip } } }",
    theirs: ({ owner }) => owner.id,
    missing: () => NO_USER,
  }),
  "Query.users(after)": adminOnly({
    operation: "query ($id: String) { users(after: $id) { totalCount edges { node { email } } } }",
    theirs: (shop) => newestOf(shop, "users"),
    missing: () => encodeCursor("users:", { value: 1, id: 1 }),
  }),
  "Query.auditLog(userId)": adminOnly({
    operation: "query ($id: ID) { auditLog(userId: $id) { totalCount edges { node { event } } } }",
    theirs: ({ owner }) => owner.id,
    missing: () => NO_USER,
  }),
  "Query.auditLog(after)": adminOnly({
    operation: "query ($id: String) { auditLog(after: $id) { edges { node { event userId } } } }",
    theirs: (shop) => newestOf(shop, "auditLog"),
    missing: () => encodeCursor("auditLog:{}", { value: 1, id: 1 }),
  }),
};
