import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import { withDeadline } from "../../domain/time/deadline.js";
import type { StoredAnswer } from "./stored-answer.js";
import type { StoredAnswers } from "./stored-answers.js";

/** A longer wait would cost more than an execution. */
const WAIT_MS = 50;

/** An answer that this client may have, if it is current. */
export interface FoundAnswer {
  readonly answer: StoredAnswer;
  /** True where it is known; else Redis is asked in this turn. */
  readonly isCurrent: true | Promise<boolean>;
}

/**
 * Finds an answer, and waits a moment for one that is
 * recorded. That one is judged afterwards: it may be older
 * than this client.
 */
export async function findAnswer(
  answers: StoredAnswers,
  key: string,
  seen: ConsistencyToken,
): Promise<FoundAnswer | null> {
  const found = findNow(answers, key, seen);
  const recorded = found ? undefined : answers.recorded(key);
  if (!recorded) return found;
  await withDeadline(recorded, WAIT_MS, () => {});
  return findNow(answers, key, seen);
}

/** The same at once: null for one that is recorded. */
export function findNow(
  answers: StoredAnswers,
  key: string,
  seen: ConsistencyToken,
): FoundAnswer | null {
  const current = answers.find(key, seen);
  if (current) return { answer: current, isCurrent: true };
  const answer = answers.findUnconfirmed(key);
  return answer && { answer, isCurrent: answers.confirm(key, answer) };
}
