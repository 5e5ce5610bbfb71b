/**
 * Tables of accounts, revocations and the audit log. One
 * account per address.
 */
import { sql } from "drizzle-orm";
import { bigint, boolean, check, index, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { AUDIT_EVENTS, COUNTED_EVENTS } from "../../domain/account/audit.js";
import { ACCOUNT_LIMITS, ROLES } from "../../domain/account/user.js";
import { identity, lengthBetween, moment, oneOf, searchWords } from "./columns.js";

/** The words of a user's name, as their index holds them. */
export const NAME_WORDS = `(${searchWords("name")})`;

/**
 * Accounts. `session_epoch` rises when all sessions of a user
 * are revoked: Redis holds the sessions, this number decides
 * which count. `tag` begins the tokens and names the keys in
 * Redis; it does not identify the user.
 */
export const users = pgTable(
  "users",
  {
    id: identity(),
    tag: text().notNull().unique("users_tag"),
    email: text().notNull().unique("users_email"),
    name: text().notNull(),
    role: text({ enum: ROLES }).notNull(),
    passwordHash: text("password_hash").notNull(),
    sessionEpoch: bigint("session_epoch", { mode: "number" }).notNull().default(1),
    createdAt: moment("created_at"),
  },
  (t) => [
    index("users_email_prefix").on(sql`${t.email} text_pattern_ops`),
    // Each sign-up merges its words: no search reads a list of new ones.
    index("users_words").using("gin", sql.raw(NAME_WORDS)).with({ fastupdate: false }),
    check("users_email_length", lengthBetween(t.email, 3, ACCOUNT_LIMITS.email)),
    check("users_name_length", lengthBetween(t.name, 1, ACCOUNT_LIMITS.name)),
    check("users_role", oneOf("role", ROLES)),
  ],
);

/**
 * Sessions that were ended one by one. A row is kept while an
 * old copy of the session could live.
 */
export const revokedSessions = pgTable(
  "revoked_sessions",
  {
    id: text().primaryKey(),
    userId: bigint("user_id", { mode: "number" })
      .notNull()
      .references(() => users.id),
    expiresAt: timestamp("expires_at", { withTimezone: true, precision: 3 }).notNull(),
  },
  (t) => [
    index("revoked_sessions_user").on(t.userId),
    index("revoked_sessions_expires_at").on(t.expiresAt),
  ],
);

/** Times before which all sessions were revoked; the latest counts. */
export const globalRevocations = pgTable("global_revocations", {
  before: timestamp({ withTimezone: true, precision: 3 }).primaryKey(),
});

/** Secrets that all processes of a shop share, by purpose. */
export const secrets = pgTable("secrets", {
  name: text().primaryKey(),
  value: text().notNull(),
  createdAt: moment("created_at"),
});

/** Rows of the audit log that anonymous clients can cause. */
export const COUNTED = `event in (${COUNTED_EVENTS.map((event) => `'${event}'`).join(", ")})`;

/**
 * The audit log, by `at`; see domain/account/audit.ts. Users
 * are not referenced, because the log outlives them. `count`
 * is above one where several were counted in the minute
 * before `at`.
 */
export const auditLog = pgTable(
  "audit_log",
  {
    id: identity(),
    at: moment("at"),
    event: text().notNull(),
    userId: bigint("user_id", { mode: "number" }),
    byService: boolean("by_service").notNull().default(false),
    byUserId: bigint("by_user_id", { mode: "number" }),
    sessionId: text("session_id"),
    ip: text(),
    device: text(),
    requestId: text("request_id"),
    detail: text(),
    count: bigint({ mode: "number" }).notNull().default(1),
  },
  (t) => [
    index("audit_log_at").on(t.at),
    // Each filter of the log is a range of an index, by id.
    index("audit_log_user").on(t.userId, t.id),
    index("audit_log_event").on(t.event, t.id),
    index("audit_log_user_event").on(t.userId, t.event, t.id),
    // Pruning counts these rows alone.
    index("audit_log_counted").on(t.id).where(sql.raw(COUNTED)),
    check(
      "audit_log_event",
      sql.raw(`event in (${AUDIT_EVENTS.map((event) => `'${event}'`).join(", ")})`),
    ),
    check("audit_log_count", sql.raw("count > 0")),
  ],
);
