/**
 * Consistency tokens as clients hold them:
 * `<count>.<bypass until>.<signature>`, HMAC-SHA256
 * over both parts.
 *
 * Signed, because a token costs. A high count keeps
 * reads from the local cache level. A bypass sends
 * them to Postgres. A token with another signature is
 * ignored. One header may hold several, separated by
 * commas; the latest of each part counts.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import {
  type ConsistencyToken,
  latestToken,
  NO_TOKEN,
} from "../domain/reading/consistency-token.js";

export interface ConsistencyTokens {
  /** Merges the tokens of a header; NO_TOKEN without any. */
  read(text: string | undefined): ConsistencyToken;
  write(seen: ConsistencyToken): string;
  /** Whether it still bypasses the cache. */
  ordersBypass(seen: ConsistencyToken): boolean;
}

/** One per write under way; more are ignored. */
const MAX_TOKENS = 4;
/** 128 bits suffice against guessing. */
const SIGNATURE_BYTES = 16;
const TOKEN = /^(\d{1,15})\.(\d{1,15})\.([A-Za-z0-9_-]{22})$/;

/**
 * @param secret the signing key, equal in all processes
 * @param nowMs ms since epoch, by the clock that
 * tokens are made with
 */
export function createConsistencyTokens(secret: string, nowMs: () => number): ConsistencyTokens {
  const sign = (parts: string): Buffer =>
    createHmac("sha256", secret).update(`seen:${parts}`).digest().subarray(0, SIGNATURE_BYTES);
  const readOne = (token: string): ConsistencyToken => {
    const [, count = "", until = "", signature = ""] = TOKEN.exec(token) ?? [];
    if (
      count === "" ||
      !timingSafeEqual(Buffer.from(signature, "base64url"), sign(`${count}.${until}`))
    )
      return NO_TOKEN;
    return { count: Number(count), bypassUntilMs: Number(until) };
  };
  return {
    read(text) {
      if (!text) return NO_TOKEN;
      const tokens = text.split(",", MAX_TOKENS).map((token) => readOne(token.trim()));
      return tokens.reduce(
        (seen, one) => (one === NO_TOKEN ? seen : latestToken(seen, one)),
        NO_TOKEN,
      );
    },
    write({ count, bypassUntilMs }) {
      const parts = `${count}.${Math.ceil(bypassUntilMs)}`;
      return `${parts}.${sign(parts).toString("base64url")}`;
    },
    ordersBypass: ({ bypassUntilMs }) => bypassUntilMs > 0 && bypassUntilMs > nowMs(),
  };
}
