import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import type { StoredAnswer, StoredAnswers } from "./stored-answers.js";

/**
 * Finds an answer, and waits for one that is recorded. That
 * one is judged afterwards: it may be older than this client.
 */
export async function findAnswer(
  answers: StoredAnswers,
  key: string,
  seen: ConsistencyToken,
): Promise<StoredAnswer | null> {
  const found = answers.find(key, seen);
  const recorded = found ? undefined : answers.recorded(key);
  if (!recorded) return found;
  await recorded;
  return answers.find(key, seen);
}
