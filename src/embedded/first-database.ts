/**
 * The first database of a data folder, filled by a short
 * process of its own.
 *
 * PGlite makes a database in a second WASM memory. Both grow
 * with the rows, and are freed with the filler. It works in a
 * draft: a data folder inside ours, with a name never used
 * before. So no two processes open
 * the same files, even where a start was killed. A
 * complete draft is moved to its place in one rename. What
 * is in the place is therefore always whole. The next start
 * removes an interrupted draft, and fills anew.
 */
import { randomBytes } from "node:crypto";
import { access, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Logger } from "pino";
import { StartupError } from "../domain/errors.js";
import { inDataFolder } from "./data-folder.js";
import { startGuarded } from "./guarded-child.js";
import { socketFolder } from "./socket-path.js";

export interface FirstDatabaseOptions {
  /** The data folder; its lock is ours until we end. */
  readonly dataDir: string;
  /**
   * Arguments of the node process that fills the data folder
   * DATA_DIR, and ends with 0.
   */
  readonly filler: readonly string[];
  /** Called before the filler starts. */
  readonly onFill: () => void;
  /** Called with each line that the filler prints on stdout. */
  readonly onLine: (line: string) => void;
  readonly log: Pick<Logger, "warn">;
}

/** The database's folder within a data folder. */
const PLACE = "postgres";
const DRAFT = /^first-[0-9a-f]{12}$/;
/** A filler has nothing to save. */
const STOP_GRACE_S = 1;

/**
 * Makes and fills the database of a data folder that has
 * none. False, and nothing is done, where one exists.
 * @throws StartupError with the errors that the filler printed,
 * when it fails; nothing of its work is kept
 */
export function fillFirstDatabase(options: FirstDatabaseOptions): Promise<boolean> {
  const { dataDir, onFill, log } = options;
  return inDataFolder(dataDir, async () => {
    const drafts = (await readdir(dataDir)).filter((name) => DRAFT.test(name));
    for (const name of drafts) await removeDraft(join(dataDir, name));
    if (drafts.length > 0)
      log.warn("an earlier start ended while it filled the shop; nothing of that is kept");
    if (await exists(join(dataDir, PLACE))) return false;
    onFill();
    const draft = resolve(dataDir, `first-${randomBytes(6).toString("hex")}`);
    try {
      await runFiller(draft, options);
      await rename(join(draft, PLACE), join(dataDir, PLACE));
    } finally {
      await removeDraft(draft);
    }
    return true;
  });
}

async function runFiller(draft: string, { filler, onLine }: FirstDatabaseOptions): Promise<void> {
  const child = await startGuarded({
    command: process.execPath,
    args: filler,
    stopSignal: "TERM",
    graceSeconds: STOP_GRACE_S,
    onLine,
    env: { DATA_DIR: draft },
  });
  const { code, output } = await child.exited;
  if (code === 0) return;
  const what = output || "It was stopped from outside, or ran out of memory.";
  throw new StartupError(
    `The shop could not be filled (the process ended with code ${code}):\n${what}\n` +
      "Nothing of it was kept: start again once the cause is gone.",
  );
}

/**
 * With its sockets, which stand elsewhere for a long path. A
 * filler may still write while its guard ends it.
 */
async function removeDraft(draft: string): Promise<void> {
  for (const folder of [await socketFolder(draft), draft])
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
