/**
 * The data folder's one complaint: whatever of it cannot be read or written, its owner is told in
 * the same words.
 */
import { StartupError } from "../domain/errors.js";

/**
 * Does something in a data folder. Whatever the system refuses becomes a StartupError that says
 * what to do.
 */
export async function inDataFolder<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StartupError) throw cause;
    throw new StartupError(
      `The data folder ${dir} cannot be used: ${(cause as Error).message}. All of it must ` +
        "belong to the user who starts Souk; or set DATA_DIR to a folder that does.",
      { cause },
    );
  }
}
