/** Failures of the data folder, with one message for its owner. */
import { StartupError } from "../domain/errors.js";

/**
 * Does something in a data folder. What the system refuses
 * becomes a StartupError with advice.
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
