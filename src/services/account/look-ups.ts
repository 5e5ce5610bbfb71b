/**
 * Look-ups of accounts and of the audit log, for admins
 * alone. Each that shows something private leaves a
 * line in the log: who looked, from where, and at what.
 * The line holds no address and no text of a search.
 */
import type { Logger } from "pino";
import type { AuditPages } from "../../db/account/audit-pages.js";
import type { UserDirectory, UserListing } from "../../db/account/directory.js";
import type { UserTable } from "../../db/account/users.js";
import {
  type AuditFilter,
  type AuditRecord,
  actorOf,
  type RequestOrigin,
} from "../../domain/account/audit.js";
import { type Principal, requireAdmin } from "../../domain/account/principal.js";
import type { SessionRecord } from "../../domain/account/session.js";
import type { UserRecord } from "../../domain/account/user.js";
import type { PageRequest, RecordPage } from "../../domain/page.js";
import type { Sessions } from "./sessions.js";

/** Who looks, and by which request. */
export interface LookUpCaller {
  readonly principal: Principal;
  readonly origin: RequestOrigin;
}

/**
 * Methods throw Unauthenticated or Forbidden unless
 * the caller is an admin. They throw
 * ServiceUnavailable when Postgres does not answer.
 */
export interface AccountLookUps {
  /** Newest first. One statement. */
  users(caller: LookUpCaller, listing: UserListing): Promise<RecordPage<UserRecord>>;
  /** Null beyond MAX_COUNTED_ROWS. */
  countUsers(caller: LookUpCaller, text?: string): Promise<number | null>;
  /** Null for an unknown user, or no key at all. */
  user(caller: LookUpCaller, key: number | null): Promise<UserRecord | null>;
  /**
   * The live sessions of an account, the latest used
   * first. Throws ServiceUnavailable without Redis.
   */
  sessions(caller: LookUpCaller, account: Pick<UserRecord, "id" | "tag">): Promise<SessionRecord[]>;
  /** Latest first. One statement. */
  auditLog(
    caller: LookUpCaller,
    filter: AuditFilter,
    page: PageRequest,
  ): Promise<RecordPage<AuditRecord>>;
  /** Null beyond MAX_COUNTED_ROWS. */
  countAuditLog(caller: LookUpCaller, filter: AuditFilter): Promise<number | null>;
}

export interface AccountLookUpsDeps {
  readonly directory: UserDirectory;
  readonly users: Pick<UserTable, "byIds">;
  readonly auditPages: AuditPages;
  readonly sessions: Pick<Sessions, "listOf">;
  readonly log: Pick<Logger, "info">;
}

export function createAccountLookUps(deps: AccountLookUpsDeps): AccountLookUps {
  const { directory, auditPages, sessions, log } = deps;
  const note = ({ principal, origin: { ip, requestId } }: LookUpCaller, lookUp: LookUpNote): void =>
    log.info({ lookUp, by: actorOf(principal), ip, requestId }, "an admin looked accounts up");
  return {
    async users(caller, listing) {
      requireAdmin(caller.principal);
      const page = await directory.page(listing);
      note(caller, { what: "users", searched: listing.text !== undefined, ...shownOf(page) });
      return page;
    },
    async countUsers({ principal }, text) {
      requireAdmin(principal);
      return directory.count(text);
    },
    async user(caller, key) {
      requireAdmin(caller.principal);
      const [user] = key === null ? [] : await deps.users.byIds([key]);
      if (user) note(caller, { what: "user", userId: user.id });
      return user ?? null;
    },
    async sessions(caller, { id, tag }) {
      const listed = await sessions.listOf(caller.principal, tag);
      note(caller, { what: "sessions", userId: id });
      return listed;
    },
    async auditLog(caller, filter, request) {
      requireAdmin(caller.principal);
      const page = await auditPages.page(filter, request);
      note(caller, { what: "auditLog", ...filter, ...shownOf(page) });
      return page;
    },
    async countAuditLog({ principal }, filter) {
      requireAdmin(principal);
      return auditPages.count(filter);
    },
  };
}

type LookUpNote = { readonly what: string } & Readonly<Record<string, unknown>>;

/** Rows are in order: the first and the last id bound them. */
const shownOf = ({ rows }: RecordPage<unknown>) => ({
  shown: rows.length,
  fromId: rows[0]?.id,
  toId: rows.at(-1)?.id,
});
