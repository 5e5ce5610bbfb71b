/**
 * Credentials: tokens recognised by their SHA-256 digest, before any lookup.
 *
 * A request's token is hashed and compared with the service token once, where it is read. Later
 * steps use the digest, so no step can disagree with another.
 */
import { timingSafeEqual } from "node:crypto";
import { sha256Bytes } from "../../domain/hash.js";

/** A presented token, which may be a session's. */
export interface SessionCredential {
  readonly kind: "session";
  /** SHA-256 of the token, base64url: the session's id. */
  readonly digest: string;
  /** The tag of the session's user; null when the token lacks a session token's shape. */
  readonly userTag: string | null;
}

export type Credential =
  | { readonly kind: "none" }
  | { readonly kind: "service" }
  | SessionCredential;

/** Recognises a token; no token is `none`. */
export type ReadCredential = (token: string | undefined) => Credential;

const NONE: Credential = { kind: "none" };
const SERVICE_CREDENTIAL: Credential = { kind: "service" };
const SESSION_TOKEN = /^([A-Za-z0-9_-]{16})\.[A-Za-z0-9_-]{43}$/;

/** @param serviceToken the configured token; undefined turns service access off */
export function createCredentialReader(serviceToken: string | undefined): ReadCredential {
  const expected = serviceToken === undefined ? null : sha256Bytes(serviceToken);
  return (token) => {
    if (token === undefined) return NONE;
    const digest = sha256Bytes(token);
    // Digests have one length, so the comparison takes constant time.
    if (expected !== null && timingSafeEqual(digest, expected)) return SERVICE_CREDENTIAL;
    return sessionCredential(token, digest);
  };
}

export const sessionCredential = (
  token: string,
  digest = sha256Bytes(token),
): SessionCredential => ({
  kind: "session",
  digest: digest.toString("base64url"),
  userTag: SESSION_TOKEN.exec(token)?.[1] ?? null,
});
