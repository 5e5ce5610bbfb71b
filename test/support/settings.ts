/** Settings of subjects, as no variable changes them. */
import { type AccountSettings, accountConfig } from "../../src/config/account.js";
import { readConfig, settingsOf } from "../../src/config/config.js";

export const accountSettings = (): AccountSettings =>
  settingsOf(readConfig({}, [accountConfig]), accountConfig);
