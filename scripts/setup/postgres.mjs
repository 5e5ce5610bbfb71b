/**
 * The prebuilt PostgreSQL of the tests: the programs of one platform from the npm registry, in the
 * cache folder of the project.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { CACHED_POSTGRES } from "../find.mjs";
import { run, runNpm } from "./run.mjs";
import { lastLines } from "./say.mjs";
import { postgresPackage, VERSIONS } from "./ways.mjs";

/**
 * Installs beside, completes, tries and then renames: what stands in its place is whole.
 * @returns {Promise<string | null>} null, or why it could not be had
 */
export async function installPostgres(machine) {
  const name = postgresPackage(machine);
  const draft = `${CACHED_POSTGRES}.${process.pid}`;
  try {
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, "package.json"), '{ "private": true }\n');
    const spec = `${name}@${VERSIONS.postgres}`;
    const words = ["install", "--prefix", draft, "--no-save", "--ignore-scripts", spec];
    const { code, output } = await runNpm(words, { cwd: draft });
    if (code !== 0) return lastLines(output);
    const native = join(draft, "node_modules", name, "native");
    complete(native);
    const failure = await refusal(join(native, "bin", "postgres"), machine);
    if (failure) return failure;
    rmSync(CACHED_POSTGRES, { recursive: true, force: true });
    renameSync(native, CACHED_POSTGRES);
    return null;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * A package holds no links, and on some platforms no rights to execute. Its own step after the
 * install makes the links; npm may be told to run none.
 */
export function complete(native) {
  const list = join(native, "pg-symlinks.json");
  const links = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : [];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
  }
  const bin = join(native, "bin");
  for (const program of readdirSync(bin)) chmodSync(join(bin, program), 0o755);
}

/**
 * Why the tests could not run it; null when they can. They run it as the user `nobody` where we are root, as
 * PostgreSQL refuses root.
 */
async function refusal(program, { isRoot }) {
  const user = isRoot ? await nobody() : {};
  const { code, output } = await run(program, ["--version"], { cwd: "/", ...user });
  if (code === 0) return null;
  const who = isRoot ? "as the user nobody, because PostgreSQL refuses root" : "here";
  return `PostgreSQL does not run ${who}: ${lastLines(output)}`;
}

async function nobody() {
  const ask = async (flag) => Number((await run("id", [flag, "nobody"])).output);
  return { uid: await ask("-u"), gid: await ask("-g") };
}
