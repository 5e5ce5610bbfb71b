/** Owners of carts: an account, or a guest, who has an id alone. */

/**
 * An owner. A guest's id is 128 random bits in base64url; it
 * signs no one in.
 */
export type Owner =
  | { readonly kind: "user"; readonly userId: number }
  | { readonly kind: "guest"; readonly guestId: string };

/** An owner in one word: `user:<key>` or `guest:<id>`. */
export function ownerName(owner: Owner): string {
  return owner.kind === "user" ? `user:${owner.userId}` : `guest:${owner.guestId}`;
}

/**
 * The guest of a client that is not signed in. A pass serves
 * one request or one WebSocket.
 */
export interface GuestPass {
  /** The guest; null until one is made. */
  readonly id: string | null;
  /**
   * The token of a new guest, which the client does not have
   * yet; null otherwise.
   */
  readonly issued: string | null;
  /**
   * The guest, made now where there is none. The same one
   * from then on.
   */
  ensure(): string;
}
