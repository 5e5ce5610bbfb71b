/** Packages of the system: managers of the test's making, and apt itself where we are root. */
import { spawnSync } from "node:child_process";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCommand } from "../../../scripts/find.mjs";
import { folder, programs } from "../../support/clone.js";
import { ROOT } from "../../support/node-process.js";

/** Runs an expression over scripts/setup/system-packages.mjs, and answers its value. */
function byManager(expression: string, path: string): unknown {
  const code =
    'import * as managers from "./scripts/setup/system-packages.mjs"; ' +
    `console.log(JSON.stringify(await managers.${expression}));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: ROOT,
    env: { PATH: path },
    encoding: "utf8",
  });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}

test.each([
  ["brew", 'byBrew(["redis"])', "brew install redis"],
  ["dnf", 'byDnf(["valkey"])', "dnf install -y valkey"],
  ["apk", 'byApk(["redis"])', "apk add redis"],
])(
  "A package is installed by %s, and a failure is told in its words.",
  async (name, call, line) => {
    const good = await programs({ [name]: "exit 0" });
    expect(byManager(call, good.path)).toBeNull();
    expect(await good.calls()).toEqual([line]);
    const bad = await programs({ [name]: "echo 'no such package' >&2; exit 1" });
    expect(byManager(call, bad.path)).toBe("no such package");
  },
);

const mayUseApt = process.getuid?.() === 0 && findCommand(["apt-get"]) !== null;
test.runIf(mayUseApt)("A package that is there already satisfies the real apt.", () => {
  expect(byManager('byApt(["base-files"])', process.env.PATH ?? "")).toBeNull();
});

describe("a package that brings a service", () => {
  /**
   * Installs a package through a fake apt-get that notes what starting a service would have met.
   */
  async function install(policyBefore: string | null, apt = "exit 0") {
    const folderOf = await folder();
    const policy = join(folderOf, "policy-rc.d");
    if (policyBefore !== null) await writeFile(policy, policyBefore, { mode: 0o755 });
    const { path, calls } = await programs({
      "apt-get":
        `case "$*" in *install*) "${policy}" some-service start; echo "policy says $?" ` +
        `>>"${folderOf}/seen";; esac\n${apt}`,
    });
    await symlink(process.execPath, join(path, "node"));
    const code =
      'import { install } from "./scripts/setup/apt.mjs"; ' +
      `console.log(JSON.stringify(install("a-package", [], ${JSON.stringify(policy)})));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd: ROOT,
      env: { PATH: path },
      encoding: "utf8",
    });
    if (!stdout) throw new Error(stderr);
    const seen = await readFile(join(folderOf, "seen"), "utf8");
    return {
      answer: JSON.parse(stdout) as string | null,
      seen,
      after: await readFile(policy, "utf8").catch(() => null),
      calls: await calls(),
    };
  }

  test("A package cannot start its service, and the policy is restored afterwards.", async () => {
    const { answer, seen, after } = await install(null);
    expect({ answer, seen, after }).toEqual({
      answer: null,
      seen: "policy says 101\n",
      after: null,
    });
  });

  test("A package leaves an existing policy unchanged.", async () => {
    const mine = "#!/bin/sh\nexit 104\n";
    const { seen, after } = await install(mine);
    expect({ seen, after }).toEqual({ seen: "policy says 101\n", after: mine });
  });

  test("One that cannot be had is retried with fresh lists, and told in apt's words.", async () => {
    const { answer, calls, after } = await install(
      null,
      "echo 'E: Unable to fetch some archives' >&2; exit 100",
    );
    expect(answer).toContain("Unable to fetch");
    expect(calls.filter((call) => call.includes(" install "))).toHaveLength(2);
    expect(calls.some((call) => call.endsWith(" update"))).toBe(true);
    expect(after).toBeNull();
  });
});
