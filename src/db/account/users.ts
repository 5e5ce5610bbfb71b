/**
 * Users: accounts by id and by address, with the state of
 * their sessions.
 *
 * A look-up by address is one statement, whether the address
 * has an account or not. So the number of statements does not
 * reveal accounts.
 */
import { type SQL, sql } from "drizzle-orm";
import type { SessionState } from "../../domain/account/session.js";
import type { Role, UserRecord } from "../../domain/account/user.js";
import type { Database, Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints, columnList, storable } from "../client/statements.js";
import type { users } from "../schema/account.js";

/** An account with its secrets. */
export interface Account {
  readonly user: UserRecord;
  readonly passwordHash: string;
  readonly sessions: SessionState;
}

export interface NewAccount {
  readonly tag: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string;
}

export interface UserTable {
  /** The users with these ids, in any order; missing ones absent. */
  byIds(ids: readonly number[]): Promise<UserRecord[]>;
  /** One statement. */
  accountByEmail(email: string): Promise<Account | null>;
  /** One statement. */
  accountById(id: number): Promise<Account | null>;
  /** One statement; null when the address is taken. */
  create(tx: Pick<Tx, "query">, account: NewAccount): Promise<UserRecord | null>;
  /** Replaces the hash, unless it is no longer `oldHash`: then false. */
  replaceHash(
    tx: Pick<Tx, "query">,
    id: number,
    oldHash: string,
    newHash: string,
  ): Promise<boolean>;
}

const USER_COLUMNS = ["id", "tag", "email", "name", "role", "created_at"] as const;
/** Columns of a {@link UserRow}. */
export const USER = columnList(USER_COLUMNS);

export type UserRow = Row<typeof users, (typeof USER_COLUMNS)[number]>;
type AccountRow = UserRow &
  Row<typeof users, "password_hash" | "session_epoch"> & { readonly revoked_ids: string[] };

/**
 * Ids of a user's sessions that were ended one by one and
 * could still live. `users` is in scope.
 */
export const REVOKED_IDS: SQL = sql.raw(
  "ARRAY(SELECT r.id FROM revoked_sessions r WHERE r.user_id = users.id AND r.expires_at > " +
    "clock_timestamp()) AS revoked_ids",
);

export function createUserTable(database: Database): UserTable {
  const account = async (where: SQL): Promise<Account | null> => {
    const [row] = await database.query<AccountRow>(sql`
      SELECT ${USER}, password_hash, session_epoch, ${REVOKED_IDS}
      FROM users
      WHERE ${where}`);
    return row
      ? {
          user: userOf(row),
          passwordHash: row.password_hash,
          sessions: { epoch: row.session_epoch, revokedIds: row.revoked_ids },
        }
      : null;
  };
  return {
    async byIds(ids) {
      if (ids.length === 0) return [];
      const rows = await database.query<UserRow>(
        sql`SELECT ${USER} FROM users WHERE id = ANY(${bigints(ids)})`,
      );
      return rows.map(userOf);
    },
    accountByEmail: (email) => account(sql`email = ${storable(email)}`),
    accountById: (id) => account(sql`id = ${id}::bigint`),
    async create(tx, { tag, email, name, role, passwordHash }) {
      const [row] = await tx.query<UserRow>(sql`
        INSERT INTO users (tag, email, name, role, password_hash)
        VALUES (${tag}, ${email}, ${name}, ${role}, ${passwordHash})
        ON CONFLICT (email) DO NOTHING
        RETURNING ${USER}`);
      return row ? userOf(row) : null;
    },
    async replaceHash(tx, id, oldHash, newHash) {
      const rows = await tx.query(sql`
        UPDATE users SET password_hash = ${newHash}
        WHERE id = ${id}::bigint AND password_hash = ${oldHash}
        RETURNING id`);
      return rows.length > 0;
    },
  };
}

export function userOf({ id, tag, email, name, role, created_at }: UserRow): UserRecord {
  return { id, tag, email, name, role, createdAt: created_at.toISOString() };
}
