/** What can be used on this machine to get a program: see the type in ways.mjs. */
import { findCommand } from "../find.mjs";
import { run } from "./run.mjs";
import { onTerminal } from "./say.mjs";

const COMMANDS = ["brew", "apt-get", "dnf", "apk", "make"];
const COMPILERS = ["cc", "gcc", "clang"];
export const ENGINES = ["docker", "podman"];
/** An engine whose machine is down may never answer. */
const ENGINE_MS = 10_000;

/** Only a run under glibc names its version. */
const isMusl = () =>
  process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;

/** The first container engine that answers; its client alone serves nothing. */
async function answeringEngine() {
  for (const name of ENGINES) {
    if (!findCommand([name])) continue;
    const { code } = await run(name, ["info"], { timeoutMs: ENGINE_MS });
    if (code === 0) return name;
  }
  return null;
}

/** @returns {Promise<import("./ways.mjs").Machine>} */
export async function lookAtMachine() {
  return {
    platform: process.platform,
    arch: process.arch,
    isRoot: process.getuid?.() === 0,
    isMusl: isMusl(),
    commands: [
      ...COMMANDS.filter((name) => findCommand([name])),
      ...(findCommand(COMPILERS) ? ["cc"] : []),
    ],
    engine: await answeringEngine(),
    onTerminal: onTerminal(),
    saysYes: process.env.SETUP_YES === "1",
  };
}
