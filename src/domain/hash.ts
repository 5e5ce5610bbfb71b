/** SHA-256 of texts. */
import { hash } from "node:crypto";

/** The digest as text: 43 characters of base64url, 44 of base64, 64 of hex. */
export const sha256 = (text: string, encoding: "base64" | "base64url" | "hex"): string =>
  hash("sha256", text, encoding);

/** The digest itself: 32 bytes. */
export const sha256Bytes = (text: string): Buffer => hash("sha256", text, "buffer");
