/**
 * Notices that a folder in use was deleted or replaced.
 *
 * Its servers go on by open files and by path: what they
 * write is lost, or lands in what stands there now. The
 * folders are polled, because shared ones send no events.
 */
import type { Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { SECOND } from "../domain/time/time.js";

export interface FolderWatch {
  /** Watches one more folder. */
  add(path: string): Promise<void>;
  close(): Promise<void>;
}

const LOOK_EVERY_MS = SECOND / 2;
/** Any other failure says nothing about the folder. */
const ABSENT: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR"]);

/**
 * Calls `onGone` once, with the folders that are gone or
 * replaced. Two looks in a row must find some: a deletion
 * under way is then seen as a whole.
 */
export async function watchFolders(
  paths: readonly string[],
  onGone: (paths: readonly string[]) => void,
): Promise<FolderWatch> {
  const folders = await Promise.all(paths.map(openFolder));
  let found = false;
  let isOver = false;
  const look = async (): Promise<void> => {
    const looked = [...folders];
    const stands = await Promise.all(looked.map(isStill));
    const gone = looked.filter((_, index) => !stands[index]).map(({ path }) => path);
    if (isOver) return;
    if (gone.length > 0 && found) {
      isOver = true;
      clearInterval(timer);
      onGone(gone);
    }
    found = gone.length > 0;
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return {
    async add(path) {
      folders.push(await openFolder(path));
    },
    async close() {
      isOver = true;
      clearInterval(timer);
      for (const { handle } of folders.splice(0)) await handle.close();
    },
  };
}

interface WatchedFolder {
  readonly path: string;
  readonly handle: FileHandle;
  readonly opened: Stats;
}

/** Held open, so no other folder gets the inode. */
async function openFolder(path: string): Promise<WatchedFolder> {
  const handle = await open(path);
  return { path, handle, opened: await handle.stat() };
}

async function isStill({ path, opened }: WatchedFolder): Promise<boolean> {
  try {
    const now = await stat(path);
    return now.ino === opened.ino && now.dev === opened.dev;
  } catch (error) {
    return !ABSENT.has((error as NodeJS.ErrnoException).code);
  }
}
