/** The service token of the embedded default: made on the first start, kept in the data folder for its owner's eyes alone. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StartupError } from "../domain/errors.js";
import { inDataFolder } from "./data-folder.js";

const FILE = "admin-token";
const TOKEN_BYTES = 24;
const OWNER_ONLY = 0o600;

/**
 * The token of this data folder, 32 characters of base64url; the same on every start. Delete the file to get a new one.
 * @throws StartupError when the file holds something that is no token, or is not ours to read
 */
export function ensureServiceToken(dir: string): Promise<string> {
  return inDataFolder(dir, () => keepToken(dir));
}

async function keepToken(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, FILE);
  const fresh = randomBytes(TOKEN_BYTES).toString("base64url");
  try {
    await writeFile(path, `${fresh}\n`, { mode: OWNER_ONLY, flag: "wx" });
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  await chmod(path, OWNER_ONLY);
  const kept = (await readFile(path, "utf8")).trim();
  if (kept.length < fresh.length) throw new StartupError(`${path} holds no usable token. Delete it to get a new one, or set ADMIN_TOKEN.`);
  return kept;
}
