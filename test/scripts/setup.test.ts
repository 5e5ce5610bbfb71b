/**
 * scripts/setup.mjs, in a copy of the repository's skeleton and with a PATH of the test's making.
 */
import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/files.js";
import { ROOT } from "../support/node-process.js";

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs setup in a folder, with these programs on PATH and nothing else. */
function setup(root: string, purpose: string, env: Record<string, string>): Outcome {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "scripts/setup.mjs"), purpose],
    {
      cwd: root,
      env,
      encoding: "utf8",
    },
  );
  return { code: status, output: `${stdout}${stderr}`.trim() };
}

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder("setup");
  onTestFinished(remove);
  return path;
}

/**
 * A folder of programs: each a shell script that appends its command line to `calls` and then does
 * as told.
 */
async function programs(
  scripts: Record<string, string>,
): Promise<{ path: string; calls(): Promise<string[]> }> {
  const path = await folder();
  const log = join(path, "calls");
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(path, name), `#!/bin/sh\necho "${name} $*" >>"${log}"\n${script}\n`, {
      mode: 0o755,
    });
  }
  return {
    path,
    calls: async () => (await readFile(log, "utf8").catch(() => "")).split("\n").filter(Boolean),
  };
}

/** What a clone holds before anything was installed: the scripts, and a lockfile of one package. */
async function freshClone(): Promise<string> {
  const root = await folder();
  await cp(join(ROOT, "scripts"), join(root, "scripts"), { recursive: true });
  await writeFile(join(root, "package.json"), '{ "name": "clone" }');
  await writeFile(join(root, "package-lock.json"), lockfile("1.0.0"));
  return root;
}

const lockfile = (version: string): string =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": { name: "clone" },
      "node_modules/needed": { version, dev: true },
      "node_modules/for-macs": { version, optional: true },
    },
  });

/** What `npm ci` leaves behind. */
async function installed(root: string, version: string): Promise<void> {
  const file = join(root, "node_modules/.package-lock.json");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ packages: { "node_modules/needed": { version } } }));
}

describe("the npm packages", () => {
  test("They come into a fresh clone, with what the build needs, also in production.", async () => {
    const { path, calls } = await programs({ npm: "exit 0" });
    const { code, output } = setup(await freshClone(), "deps", {
      PATH: path,
      NODE_ENV: "production",
    });
    expect(code).toBe(0);
    expect(output).toContain("installing the npm packages");
    expect(await calls()).toEqual([expect.stringMatching(/^npm ci --include=dev/)]);
  });

  test("Packages that match the lockfile are left alone in silence.", async () => {
    const root = await freshClone();
    await installed(root, "1.0.0");
    const { path, calls } = await programs({ npm: "exit 0" });
    expect(setup(root, "deps", { PATH: path })).toEqual({ code: 0, output: "" });
    expect(await calls()).toEqual([]);
  });

  test("Packages are installed again after the lockfile changed.", async () => {
    const root = await freshClone();
    await installed(root, "0.9.0");
    const { path, calls } = await programs({ npm: "exit 0" });
    setup(root, "deps", { PATH: path });
    expect(await calls()).toHaveLength(1);
  });

  test("A failed download ends set-up with its likely reason and exit code 1.", async () => {
    const { path } = await programs({ npm: "exit 1" });
    const { code, output } = setup(await freshClone(), "deps", { PATH: path });
    expect(code).toBe(1);
    expect(output).toMatch(/registry cannot be reached/);
    expect(output).not.toMatch(/\bat .*\.mjs:/);
  });
});

describe("the Redis server", () => {
  const ready = async () => {
    const root = await freshClone();
    await installed(root, "1.0.0");
    return root;
  };

  test("Its absence ends the start with code 1 and a message that names three ways.", async () => {
    const { path } = await programs({});
    const { code, output } = setup(await ready(), "start", { PATH: path });
    expect(code).toBe(1);
    expect(output).toMatch(
      /1\. a system package[\s\S]*2\. a container[\s\S]*3\. one you have +REDIS_URL/,
    );
    expect(output).not.toMatch(/\bat .*\.mjs:/);
  });

  test("No Redis server is searched where the environment or .env names one.", async () => {
    const { path } = await programs({});
    const root = await ready();
    expect(setup(root, "start", { PATH: path, REDIS_URL: "redis://127.0.0.1:6379" })).toEqual({
      code: 0,
      output: "",
    });
    await writeFile(join(root, ".env"), "REDIS_URL=redis://127.0.0.1:6379\n");
    expect(setup(root, "start", { PATH: path })).toEqual({ code: 0, output: "" });
  });

  test("The Redis server may be Valkey.", async () => {
    const { path } = await programs({ "valkey-server": "echo 'Valkey server v=8.0.1 sha=0'" });
    expect(setup(await ready(), "start", { PATH: path })).toEqual({ code: 0, output: "" });
  });

  test("A Redis server older than the lowest supported is refused by name.", async () => {
    const { path } = await programs({ "redis-server": "echo 'Redis server v=6.0.16 sha=0'" });
    const { code, output } = setup(await ready(), "start", { PATH: path });
    expect(code).toBe(1);
    expect(output).toMatch(/redis-server is version 6/);
  });
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
      'import { install } from "./scripts/install.mjs"; ' +
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

test("A second set-up of this tree for the tests does and prints nothing.", () => {
  const env = { PATH: process.env.PATH ?? "" };
  setup(ROOT, "test", env);
  expect(setup(ROOT, "test", env)).toEqual({ code: 0, output: "" });
});
