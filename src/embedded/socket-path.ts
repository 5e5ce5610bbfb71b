/**
 * The folder of private unix sockets: the data folder, or one
 * of our own below the system's temporary folder. The second
 * is used where the path is too long for the kernel (107
 * bytes on Linux, 103 on macOS). Also where the filesystem
 * has no sockets (shared folders of virtual machines). Its
 * name is derived from the first. So the next start finds
 * what an earlier one left.
 */
import { createHash } from "node:crypto";
import { chmod, mkdir, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Leaves room for a suffix below the smallest limit. */
const PATH_BYTES = 96;

/**
 * A folder for sockets, closed to other users. The same
 * `dataDir` has the same folder on one machine.
 */
export async function socketFolder(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const dir = await realpath(dataDir);
  const near = join(dir, "run");
  if (Buffer.byteLength(near) + NAME_BYTES <= PATH_BYTES && (await takesSockets(near))) return near;
  const far = join(tmpdir(), `souk-${createHash("sha256").update(dir).digest("hex").slice(0, 16)}`);
  await makePrivate(far);
  return far;
}

/** Longest name of a socket in it. */
const NAME_BYTES = 24;

async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Fails where another user owns the folder, as it should.
  await chmod(folder, 0o700);
}

async function takesSockets(folder: string): Promise<boolean> {
  await makePrivate(folder);
  const path = join(folder, `probe-${process.pid}`);
  const probe = createServer();
  const works = await new Promise<boolean>((resolve) =>
    probe.once("error", () => resolve(false)).listen(path, () => resolve(true)),
  );
  if (works) await new Promise((resolve) => probe.close(resolve));
  await rm(path, { force: true });
  return works;
}
