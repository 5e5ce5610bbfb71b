import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import { withDeadline } from "../../domain/time/deadline.js";
import type { StoredAnswer } from "./stored-answer.js";
import type { StoredAnswers } from "./stored-answers.js";

/** A longer wait would cost more than an execution. */
const WAIT_MS = 50;

/**
 * Finds an answer, and waits a moment for one that is
 * recorded. That one is judged afterwards: it may be older
 * than this client.
 */
export async function findAnswer(
  answers: StoredAnswers,
  key: string,
  seen: ConsistencyToken,
): Promise<StoredAnswer | null> {
  const found = answers.find(key, seen);
  const recorded = found ? undefined : answers.recorded(key);
  if (!recorded) return found;
  await withDeadline(recorded, WAIT_MS, () => {});
  return answers.find(key, seen);
}
