/**
 * Large answers over HTTP that their clients have not taken yet: bytes of this process, for which
 * neither cost nor time pays. Each address holds a share of them, so that one cannot use up all.
 *
 * An answer that takes no part of its connection for a while is cut with it.
 */
import type { ServerResponse } from "node:http";
import { addressHolder } from "../../domain/address.js";

/** What is smaller is not counted: the buffers of a connection take as much. */
const LARGE_BYTES = 64 * 1024;
/** In answers of the largest size. */
const ANSWERS_PER_ADDRESS = 4;
const ANSWERS_PER_PROCESS = 32;

/** Counts large answers until they have left. */
export interface UnsentAnswers {
  /**
   * Whether there is room for an answer of so many bytes; if so, it is counted until `response`
   * closes.
   */
  admit(response: ServerResponse, ip: string, bytes: number): boolean;
}

/**
 * @param answerBytes the largest answer; @param stalledMs longest that a client may take nothing of
 * one
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
