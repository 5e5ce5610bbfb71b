/** Failures of several things that were tried each for itself. */
import { ServiceUnavailable } from "../domain/errors.js";

/** Waits for all of them; resolves to why some failed. */
export async function failuresOf(work: readonly Promise<unknown>[]): Promise<unknown[]> {
  return (await Promise.allSettled(work)).flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason as unknown] : [],
  );
}

/**
 * One error for many: that of a server that is away, where there is one, because it explains the
 * others.
 */
export const mostTelling = (failures: readonly unknown[]): unknown =>
  failures.find((failure) => failure instanceof ServiceUnavailable) ?? failures[0];

/** Why something failed, for an operator: what is told to clients hides the reason. */
export function wordsOf(reason: unknown): string {
  const { message, cause } =
    reason instanceof Error ? reason : { message: String(reason), cause: undefined };
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : message;
}
