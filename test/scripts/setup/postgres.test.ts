/** The prebuilt PostgreSQL: from the real registry where it answers, else from npms of the test's. */
import { spawnSync } from "node:child_process";
import { chmod, mkdir, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { findCommand } from "../../../scripts/find.mjs";
import { complete } from "../../../scripts/setup/postgres.mjs";
import { postgresPackage, VERSIONS } from "../../../scripts/setup/ways.mjs";
import { clone, folder, programs } from "../../support/clone.js";
import { startPostgresServer } from "../../support/postgres-server.js";

const isRoot = process.getuid?.() === 0;
const machine = { platform: process.platform, arch: process.arch, isRoot, isMusl: false };
const name = String(postgresPackage({ ...machine, commands: [], engine: null } as never));

/** Installs into the cache of a clone. Answers null or the failure, and where it would be. */
async function install(root: string, env: NodeJS.ProcessEnv) {
  const code =
    'import { installPostgres } from "./scripts/setup/postgres.mjs"; ' +
    `console.log(JSON.stringify(await installPostgres(${JSON.stringify(machine)})));`;
  const args = ["--input-type=module", "-e", code];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env,
    encoding: "utf8",
  });
  if (!stdout) throw new Error(stderr);
  const place = join(root, ".cache", `postgres-${VERSIONS.postgres}`);
  return { failure: JSON.parse(stdout) as string | null, place };
}

/** An npm that installs a PostgreSQL whose programs are these scripts. */
async function npm(postgres: string) {
  const native = await folder();
  await chmod(native, 0o755);
  await mkdir(join(native, "bin"));
  for (const program of ["initdb", "postgres"])
    await writeFile(join(native, "bin", program), `#!/bin/sh\n${postgres}\n`);
  return programs({
    npm:
      'while [ "$1" != --prefix ]; do shift; done; ' +
      `mkdir -p "$2/node_modules/${name}"; cp -r "${native}" "$2/node_modules/${name}/native"`,
  });
}

/** The tests run PostgreSQL as the user nobody where they are root. */
async function openClone(): Promise<string> {
  const root = await clone();
  await chmod(root, 0o755);
  return root;
}

test("What is installed can be executed, although the package lacks the rights.", async () => {
  const { path, calls } = await npm("exit 0");
  const { failure, place } = await install(await openClone(), { PATH: `${path}:/usr/bin:/bin` });
  expect(failure).toBeNull();
  expect((await stat(join(place, "bin/postgres"))).mode & 0o111).toBe(0o111);
  expect(await calls()).toEqual([expect.stringContaining(`${name}@${VERSIONS.postgres}`)]);
});

test("One that does not run here is not kept, and the failure says why.", async () => {
  const { path } = await npm("echo 'libicu is missing' >&2; exit 127");
  const { failure, place } = await install(await openClone(), { PATH: `${path}:/usr/bin:/bin` });
  expect(failure).toContain("libicu is missing");
  await expect(stat(place)).rejects.toThrow("ENOENT");
});

test.runIf(isRoot)(
  "A folder that the user nobody may not enter is named as the reason.",
  async () => {
    const { path } = await npm("exit 0");
    const { failure } = await install(await clone(), { PATH: `${path}:/usr/bin:/bin` });
    expect(failure).toMatch(/as the user nobody/);
  },
);

test("The links that a package cannot hold are made, and made once.", async () => {
  const native = join(await folder(), "native");
  await mkdir(join(native, "lib"), { recursive: true });
  await mkdir(join(native, "bin"));
  await writeFile(join(native, "lib/libpq.so.5.18"), "");
  await symlink("libpq.so.5.18", join(native, "lib/libpq.so"));
  const links = ["libpq.so", "libpq.so.5"].map((target) => ({
    source: "native/lib/libpq.so.5.18",
    target: `native/lib/${target}`,
  }));
  await writeFile(join(native, "pg-symlinks.json"), JSON.stringify(links));
  complete(native);
  complete(native);
  for (const target of ["libpq.so", "libpq.so.5"])
    expect(await readlink(join(native, "lib", target))).toBe("libpq.so.5.18");
});

const realNpm = findCommand(["npm"]);
const isReachable = () =>
  realNpm !== null &&
  spawnSync(realNpm, ["view", `${name}@${VERSIONS.postgres}`, "version"]).status === 0;

test.runIf(isReachable())(
  "The one of the registry serves, with what the schema needs.",
  async () => {
    const root = await openClone();
    const { failure, place } = await install(root, process.env);
    expect(failure).toBeNull();
    const server = await startPostgresServer({ PATH: join(place, "bin") });
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query("CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent");
    const { rows } = await client.query("SELECT upper(unaccent('é')) AS letter, version()");
    expect(rows[0]).toMatchObject({ letter: "E", version: expect.stringMatching(/PostgreSQL 18/) });
    await client.end();
    await server.stop();
  },
);
