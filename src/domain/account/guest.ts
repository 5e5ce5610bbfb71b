/**
 * Who owns what is kept for people: somebody with an account, or a guest, who is known by an id
 * alone.
 */

/** An owner. A guest's id is 128 random bits in base64url; it signs nobody in. */
export type Owner =
  | { readonly kind: "user"; readonly userId: number }
  | { readonly kind: "guest"; readonly guestId: string };

/** Names an owner in one word: `user:<key>` or `guest:<id>`. */
export function ownerName(owner: Owner): string {
  return owner.kind === "user" ? `user:${owner.userId}` : `guest:${owner.guestId}`;
}

/**
 * Who a client is while nobody has signed in, for as long as the client is served: one request, or
 * a whole WebSocket.
 */
export interface GuestPass {
  /** The guest; null until one is made. */
  readonly id: string | null;
  /**
   * The token of a guest that was made here, which the client does not have yet; null for one that
   * it brought.
   */
  readonly issued: string | null;
  /** The guest, made now where there is none. The same one from then on. */
  ensure(): string;
}
