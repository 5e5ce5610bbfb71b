/**
 * Packages of the system, one function for each manager. Each answers null, or what the manager
 * said when it could not.
 */
import { install } from "./apt.mjs";
import { run } from "./run.mjs";
import { lastLines } from "./say.mjs";

/** Homebrew installs as the user, and starts no service. */
export const byBrew = (names) => manage("brew", ["install", ...names]);

/** `services` are the units that the packages would start and enable. */
export async function byApt(names, services = []) {
  for (const name of names) {
    const failure = install(name, services);
    if (failure) return failure;
  }
  return null;
}

/** Starts no service: Fedora's presets forbid it. */
export const byDnf = (names) => manage("dnf", ["install", "-y", ...names]);

/** Starts no service: Alpine leaves that to rc-update. */
export const byApk = (names) => manage("apk", ["add", ...names]);

async function manage(command, words) {
  const { code, output } = await run(command, words);
  return code === 0 ? null : lastLines(output);
}
