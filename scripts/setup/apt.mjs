/**
 * Installs packages of Debian and Ubuntu where we are root. A package that brings a service would
 * start it and enable it at boot; we want its programs only, so starting is forbidden while apt
 * runs (policy-rc.d, as image builders do), whatever forbade or allowed it before is put back, and
 * the new services are disabled. A service that was there before is never touched.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { lastLines } from "./say.mjs";

/** What maintainer scripts ask before they start a service. */
const POLICY = "/usr/sbin/policy-rc.d";
const OURS =
  "#!/bin/sh\n# Put here by souk's scripts/setup.mjs while it installs a package; it removes " +
  "it afterwards.\nexit 101\n";
/** Another apt may be at work, such as unattended upgrades. */
const LOCK_SECONDS = 120;

/**
 * Installs a package. Answers null, or what apt said when it could not. `services` are the units
 * that it would enable.
 */
export function install(name, services = [], policy = POLICY) {
  forbidStarts(policy);
  const undo = () => allowStarts(policy);
  process.once("exit", undo);
  try {
    const failure = aptInstall(name);
    if (!failure) for (const service of services) disable(service);
    return failure;
  } finally {
    undo();
    process.off("exit", undo);
  }
}

function aptInstall(name) {
  if (!hasLists()) apt(["update"]);
  if (apt(["install", "-y", "--no-install-recommends", name]).status === 0) return null;
  // The lists may be older than the archive.
  const update = apt(["update"]);
  const second = apt(["install", "-y", "--no-install-recommends", name]);
  return second.status === 0
    ? null
    : lastLines(`${update.stderr}\n${second.stderr || second.stdout}`);
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  return spawnSync("apt-get", ["-o", `DPkg::Lock::Timeout=${LOCK_SECONDS}`, "-q", ...args], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const hasLists = () =>
  existsSync("/var/lib/apt/lists") &&
  readdirSync("/var/lib/apt/lists").some((file) => /_Packages(\.\w+)?$/.test(file));

const keptAs = (policy) => `${policy}.before-souk`;

function forbidStarts(policy) {
  allowStarts(policy);
  if (existsSync(policy)) renameSync(policy, keptAs(policy));
  writeFileSync(policy, OURS, { mode: 0o755 });
}

/** Puts back what was there; also after a run that was killed half-way. */
function allowStarts(policy) {
  if (existsSync(policy) && readFileSync(policy, "utf8") === OURS) rmSync(policy);
  if (existsSync(keptAs(policy))) renameSync(keptAs(policy), policy);
}

/** Only where systemd runs: elsewhere nothing would start it. */
function disable(service) {
  if (existsSync("/run/systemd/system"))
    spawnSync("systemctl", ["disable", "--quiet", service], { stdio: "ignore" });
}
