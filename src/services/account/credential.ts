/**
 * Credentials: tokens recognised by their SHA-256
 * digest, before any lookup.
 *
 * A token is hashed once a request, where it is read.
 * There it is compared with the service token. Later
 * steps use the digest, so they cannot disagree.
 */
import { timingSafeEqual } from "node:crypto";
import { sha256Bytes } from "../../domain/hash.js";

/** A token that may be a session's. */
export interface SessionCredential {
  readonly kind: "session";
  /** The session's id: SHA-256 of the token, base64url. */
  readonly digest: string;
  /** Null for a token without the shape of a session's. */
  readonly userTag: string | null;
}

export type Credential =
  | { readonly kind: "none" }
  | { readonly kind: "service" }
  | SessionCredential;

/** No token is `none`. */
export type ReadCredential = (token: string | undefined) => Credential;

const NONE: Credential = { kind: "none" };
const SERVICE_CREDENTIAL: Credential = { kind: "service" };
const SESSION_TOKEN = /^([A-Za-z0-9_-]{16})\.[A-Za-z0-9_-]{43}$/;

/** @param serviceToken undefined turns service access off */
export function createCredentialReader(serviceToken: string | undefined): ReadCredential {
  const expected = serviceToken === undefined ? null : sha256Bytes(serviceToken);
  return (token) => {
    if (token === undefined) return NONE;
    const digest = sha256Bytes(token);
    // Constant time: digests have one length.
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
