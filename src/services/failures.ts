/** Failures of independent work. */
import { ServiceUnavailable } from "../domain/errors.js";

/** Waits for all; resolves to the rejections. */
export async function failuresOf(work: readonly Promise<unknown>[]): Promise<unknown[]> {
  return (await Promise.allSettled(work)).flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason as unknown] : [],
  );
}

/**
 * One error for many. A server that is away comes
 * first: it explains the others.
 */
export const mostTelling = (failures: readonly unknown[]): unknown =>
  failures.find((failure) => failure instanceof ServiceUnavailable) ?? failures[0];

/** The reason for operators; messages to clients hide it. */
export function wordsOf(reason: unknown): string {
  const { message, cause } =
    reason instanceof Error ? reason : { message: String(reason), cause: undefined };
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : message;
}
