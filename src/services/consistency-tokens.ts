/**
 * Consistency tokens as clients hold them: `<count>.<bypass until>.<signature>`, by HMAC-SHA256
 * over both parts.
 *
 * Signed, because a token costs us: one that runs ahead keeps its reads from the local cache level,
 * and one that orders reading past the cache sends them to Postgres. What we did not sign counts as
 * nothing seen. A client that holds several sends them in one header, separated by commas; the
 * latest of each part counts.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { type ConsistencyToken, latestToken, NO_TOKEN } from "../domain/consistency-token.js";

/** Reads and writes tokens. */
export interface ConsistencyTokens {
  /** What a client says it has seen, in one token or a few; nothing where none of them is ours. */
  read(text: string | undefined): ConsistencyToken;
  /** The token of what was seen. */
  write(seen: ConsistencyToken): string;
  /** Whether it still orders reading past the cache. */
  ordersBypass(seen: ConsistencyToken): boolean;
}

/** A client has one token for each of its writes under way; what is beyond is not read. */
const MAX_TOKENS = 4;
/** 128 bits of the signature are as good as all of them against guessing. */
const SIGNATURE_BYTES = 16;
const TOKEN = /^(\d{1,15})\.(\d{1,15})\.([A-Za-z0-9_-]{22})$/;

/**
 * @param secret what tokens are signed with; the same in every process
 * @param nowMs the clock that tokens are judged by, ms since epoch: the one that they are made by
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
