/**
 * Secrets of the embedded default: made on the first start,
 * in the data folder, readable by its owner alone.
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StartupError } from "../domain/errors.js";
import { inDataFolder } from "./data-folder.js";

const TOKEN_BYTES = 24;
const PASSWORD_BYTES = 12;
const OWNER_ONLY = 0o600;

/**
 * The token of this data folder, 32 characters of base64url;
 * the same on every start. Delete the file to get a new one.
 * @throws StartupError when the file holds no token, or is
 * not ours to read
 */
export async function ensureServiceToken(dir: string): Promise<string> {
  return (await inDataFolder(dir, () => keepSecret(dir, "admin-token", TOKEN_BYTES))).secret;
}

/** A secret, and whether it was made just now. */
export interface KeptSecret {
  readonly secret: string;
  readonly isNew: boolean;
}

/**
 * The password of the seeded logins, 16 characters of
 * base64url; the same on every start. Delete the file to get
 * a new one.
 * @throws StartupError when the file holds no password, or is
 * not ours to read
 */
export function ensureDemoPassword(dir: string): Promise<KeptSecret> {
  return inDataFolder(dir, () => keepSecret(dir, "demo-password", PASSWORD_BYTES));
}

async function keepSecret(dir: string, file: string, bytes: number): Promise<KeptSecret> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, file);
  const fresh = randomBytes(bytes).toString("base64url");
  try {
    await writeFile(path, `${fresh}\n`, { mode: OWNER_ONLY, flag: "wx" });
    return { secret: fresh, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  await chmod(path, OWNER_ONLY);
  const kept = (await readFile(path, "utf8")).trim();
  if (kept.length < fresh.length)
    throw new StartupError(`${path} holds nothing usable. Delete it to get a new one.`);
  return { secret: kept, isNew: false };
}
