/** Deadlines of waits. */

/**
 * `work`, or what `late` answers (or throws) after the
 * deadline. The work itself goes on: the outcome of a write
 * is unknown then.
 */
export async function withDeadline<T>(
  work: PromiseLike<T> | T,
  deadlineMs: number,
  late: () => T,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * For {@link withDeadline}: an error with the wait and what
 * was waited for.
 */
export function lateError(what: string, deadlineMs: number): () => never {
  return () => {
    throw new Error(`${what} within ${deadlineMs} ms`);
  };
}
