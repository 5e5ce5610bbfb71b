/** One way to stop waiting, for every room. */

/**
 * `work`, or what `late` answers (or throws) once the deadline has passed. The work itself goes on
 * unheard: what it was to write is unknown then, not refused.
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

/** For {@link withDeadline}: an error that says how long was waited, and for what. */
export function lateError(what: string, deadlineMs: number): () => never {
  return () => {
    throw new Error(`${what} within ${deadlineMs} ms`);
  };
}
