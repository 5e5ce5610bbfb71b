/**
 * The filler of a first start, run by `npm start` alone:
 * makes the embedded database of DATA_DIR, with logins and a
 * shop. Its argument is the folder that keeps their password.
 */
import { provideDemoShop } from "../app/demo-shop.js";
import { printProgress } from "../app/filling.js";
import { accountConfig } from "../config/account.js";
import { ensureDemoPassword } from "../embedded/secrets.js";
import { runCommand, usage } from "./command.js";

const secrets =
  process.argv[2] ?? usage("`npm start` runs this by itself; use `npm run seed` instead.", 1);
await runCommand(
  async ({ config, database }) => {
    const demo = await ensureDemoPassword(secrets);
    const filling = { onFill() {}, onProgress: printProgress, onFilled() {} };
    await provideDemoShop(database, { config, demo, filling });
    return 0;
  },
  [accountConfig],
);
