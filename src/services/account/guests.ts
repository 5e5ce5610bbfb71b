/**
 * Guests: visitors without an account, identified by a
 * signed id. A guest is made at the first write and
 * costs nothing to keep. The bearer of a signed token
 * is that guest, on every transport and process. Other
 * ids are never adopted.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { GuestPass } from "../../domain/account/guest.js";

export interface Guests {
  /**
   * The guest of a client with this token; a token that
   * is not ours counts as none.
   */
  admit(token: string | undefined): GuestPass;
}

const ID_BYTES = 16;
const GUEST_TOKEN = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

/** @param secret signs the tokens; the same in every process */
export function createGuests(secret: string): Guests {
  const sign = (id: string): Buffer => createHmac("sha256", secret).update(`guest:${id}`).digest();
  const read = (token: string | undefined): string | null => {
    if (token === undefined) return null;
    const [, id = "", signature = ""] = GUEST_TOKEN.exec(token) ?? [];
    return id !== "" && timingSafeEqual(Buffer.from(signature, "base64url"), sign(id)) ? id : null;
  };
  return {
    admit(token) {
      return new SignedPass(read(token), sign);
    },
  };
}

/** A class, since every socket holds one: getters in a literal are large. */
class SignedPass implements GuestPass {
  issued: string | null = null;

  constructor(
    public id: string | null,
    private readonly sign: (id: string) => Buffer,
  ) {}

  ensure(): string {
    if (this.id !== null) return this.id;
    this.id = randomBytes(ID_BYTES).toString("base64url");
    this.issued = `${this.id}.${this.sign(this.id).toString("base64url")}`;
    return this.id;
  }
}
