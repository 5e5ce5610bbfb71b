/** Logins of the embedded default: an admin and three customers. */
import { randomBytes } from "node:crypto";
import type { NewAccount, UserTable } from "../../db/account/users.js";
import type { Database } from "../../db/client/database.js";
import type { Passwords } from "./passwords.js";

/** They share one password, made on the first start. */
export const DEMO_LOGINS: readonly Pick<NewAccount, "email" | "name" | "role">[] = [
  { email: "admin@souk.example", name: "Noor Admin", role: "ADMIN" },
  { email: "ada@souk.example", name: "Ada Lindgren", role: "CUSTOMER" },
  { email: "ben@souk.example", name: "Ben Okafor", role: "CUSTOMER" },
  { email: "cleo@souk.example", name: "Cleo Marchetti", role: "CUSTOMER" },
];

export interface DemoLoginDeps {
  readonly database: Database;
  readonly users: UserTable;
  readonly passwords: Passwords;
  readonly password: string;
  /**
   * True where the password was made just now: accounts
   * of an earlier start get it too.
   */
  readonly isNew: boolean;
}

/** Makes missing logins. Later changes of a login stay. */
export async function provideDemoLogins({
  database,
  users,
  passwords,
  password,
  isNew,
}: DemoLoginDeps): Promise<void> {
  for (const login of DEMO_LOGINS) {
    const known = await users.accountByEmail(login.email);
    if (known && !isNew) continue;
    const passwordHash = await passwords.hash(password);
    if (known) await users.replaceHash(database, known.user.id, known.passwordHash, passwordHash);
    else
      await users.create(database, {
        ...login,
        tag: randomBytes(12).toString("base64url"),
        passwordHash,
      });
  }
}
