/**
 * Large unread answers over HTTP: memory that neither cost nor
 * time bounds. Each address may hold a share of it.
 *
 * A stalled answer is cut with its connection.
 */
import type { ServerResponse } from "node:http";
import { addressHolder } from "../../domain/address.js";

/** Smaller answers fit the buffers of a connection. */
const LARGE_BYTES = 64 * 1024;
/** In answers of the largest size. */
const ANSWERS_PER_ADDRESS = 4;
const ANSWERS_PER_PROCESS = 32;

export interface UnsentAnswers {
  /** Counts an answer until `response` closes; false without room. */
  admit(response: ServerResponse, ip: string, bytes: number): boolean;
}

/**
 * @param answerBytes the largest answer; @param stalledMs longest
 * stall
 */
export function createUnsentAnswers(answerBytes: number, stalledMs: number): UnsentAnswers {
  const byAddress = new Map<string, number>();
  let total = 0;
  const add = (holder: string, bytes: number) => {
    const held = (byAddress.get(holder) ?? 0) + bytes;
    if (held > 0) byAddress.set(holder, held);
    else byAddress.delete(holder);
    total += bytes;
  };
  return {
    admit(response, ip, bytes) {
      if (bytes < LARGE_BYTES) return true;
      const holder = addressHolder(ip);
      const held = byAddress.get(holder) ?? 0;
      if (
        held + bytes > ANSWERS_PER_ADDRESS * answerBytes ||
        total + bytes > ANSWERS_PER_PROCESS * answerBytes
      )
        return false;
      add(holder, bytes);
      response.once("close", () => add(holder, -bytes));
      response.setTimeout(stalledMs, () => response.destroy());
      return true;
    },
  };
}
