/** SHA-256 of texts. */
import { createHash } from "node:crypto";

/** The digest as text: 43 characters of base64url, 44 of base64, 64 of hex. */
export const sha256 = (text: string, encoding: "base64" | "base64url" | "hex"): string =>
  createHash("sha256").update(text).digest(encoding);

/** The digest itself: 32 bytes. */
export const sha256Bytes = (text: string): Buffer => createHash("sha256").update(text).digest();
