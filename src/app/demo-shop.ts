/** What the embedded default starts with: logins and a shop. */
import { accountConfig } from "../config/account.js";
import { type Config, settingsOf } from "../config/config.js";
import { createUserTable } from "../db/account/users.js";
import type { Database } from "../db/client/database.js";
import { DEFAULT_SEED, isEmpty, seedCatalogue } from "../db/seed/seed.js";
import type { KeptSecret } from "../embedded/secrets.js";
import { provideDemoLogins } from "../services/account/demo-logins.js";
import { createPasswords } from "../services/account/passwords.js";
import type { Filling } from "./filling.js";

export interface DemoShopOptions {
  readonly config: Config;
  /** The password of the logins. */
  readonly demo: KeptSecret;
  readonly filling: Filling;
}

/** Makes missing logins, and fills a shop that is empty. */
export async function provideDemoShop(
  database: Database,
  { config, demo, filling }: DemoShopOptions,
): Promise<void> {
  const [users, passwords] = [
    createUserTable(database),
    createPasswords(settingsOf(config, accountConfig).passwords),
  ];
  await provideDemoLogins({ database, users, passwords, password: demo.secret, isNew: demo.isNew });
  if (!(await isEmpty(database))) return;
  filling.onFill();
  await seedCatalogue(database, { ...DEFAULT_SEED, onProgress: filling.onProgress });
  filling.onFilled();
}
