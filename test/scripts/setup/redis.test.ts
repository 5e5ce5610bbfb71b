/** How scripts/setup.mjs comes by a Redis server, with programs of the test's making. */
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { VERSIONS } from "../../../scripts/setup/ways.mjs";
import { clone, folder, linesOf, programs, setup } from "../../support/clone.js";

describe("what is there already", () => {
  test("No Redis server is searched where the environment or .env names one.", async () => {
    const { path } = await programs({});
    const root = await clone();
    const silent = { code: 0, output: "" };
    const named = { PATH: path, REDIS_URL: "redis://127.0.0.1:6379" };
    expect(await setup(root, "start", named)).toEqual(silent);
    await writeFile(join(root, ".env"), "REDIS_URL=redis://127.0.0.1:6379\n");
    expect(await setup(root, "start", { PATH: path })).toEqual(silent);
  });

  test("The Redis server may be Valkey.", async () => {
    const { path } = await programs({ "valkey-server": "echo 'Valkey server v=8.0.1 sha=0'" });
    expect(await setup(await clone(), "start", { PATH: path })).toEqual({ code: 0, output: "" });
  });

  test("A Redis server older than the lowest supported is refused by name.", async () => {
    const { path } = await programs({ "redis-server": "echo 'Redis server v=6.0.16 sha=0'" });
    const { code, output } = await setup(await clone(), "start", { PATH: path });
    expect(code).toBe(1);
    expect(output).toMatch(/redis-server is version 6/);
  });
});

describe("what can be had", () => {
  const yes = { SETUP_YES: "1" };

  /** An engine that has an image once it was fetched. */
  const engine =
    'here=$(dirname "$0"); case "$1" in info) exit 0;; ' +
    'pull) touch "$here/image";; image) test -e "$here/image";; *) exit 9;; esac';

  test("A container engine that answers fetches the image, and a second start is silent.", async () => {
    const { path, calls } = await programs({ podman: engine });
    const root = await clone();
    const outcome = await setup(root, "start", { PATH: path, ...yes });
    expect(linesOf(outcome)).toEqual([`setup: redis-server, by \`podman pull ${VERSIONS.image}\``]);
    expect(await calls()).toContain(`podman pull ${VERSIONS.image}`);
    expect(await setup(root, "start", { PATH: path })).toEqual({ code: 0, output: "" });
  });

  test("A container does not serve the tests, and they say so.", async () => {
    const { path } = await programs({ podman: engine });
    const env = { PATH: path, TEST_DATABASE_URL: "postgres://127.0.0.1:1/none", ...yes };
    const { code, output } = await setup(await clone(), "test", env);
    expect(code).toBe(1);
    expect(output).toMatch(/tests start and kill servers of their own, so they need the first/);
  });

  test("An engine whose daemon does not answer is not offered.", async () => {
    const { path, calls } = await programs({ docker: "exit 1" });
    expect((await setup(await clone(), "start", { PATH: path, ...yes })).code).toBe(1);
    expect(await calls()).not.toContain(`docker pull ${VERSIONS.image}`);
  });

  /** What redis-memory-server does after its install, in small. */
  const BUILDER = `
    const { mkdirSync, writeFileSync } = require("node:fs");
    const { REDISMS_DOWNLOAD_DIR, REDISMS_VERSION, npm_config_strict_ssl } = process.env;
    const place = REDISMS_DOWNLOAD_DIR + "/" + REDISMS_VERSION;
    mkdirSync(place, { recursive: true });
    writeFileSync(place + "/redis-server", "#!/bin/sh\\necho v=7.2.0\\n", { mode: 0o755 });
    writeFileSync(place + "/strict", npm_config_strict_ssl);
  `;

  /** A compiler, and an npm that installs the builder. */
  async function tools() {
    const builder = join(await folder(), "builder.js");
    await writeFile(builder, BUILDER);
    const npm =
      'while [ "$1" != --prefix ]; do shift; done; at="$2/node_modules/redis-memory-server/scripts"; ' +
      `mkdir -p "$at"; cp "${builder}" "$at/postinstall.js"`;
    return { npm, make: "exit 1", cc: "exit 1" };
  }

  test("A compiler builds it once into the cache, with certificates checked.", async () => {
    const { path, calls } = await programs(await tools());
    const root = await clone();
    const outcome = await setup(root, "start", { PATH: path });
    expect(outcome.code).toBe(0);
    expect(linesOf(outcome)).toEqual([expect.stringContaining("builds Redis")]);
    expect((await calls())[0]).toContain(`redis-memory-server@${VERSIONS.redisBuilder}`);
    expect(await readFile(join(root, ".cache/bin/redis-server"), "utf8")).toContain("v=7.2.0");
    const strict = join(root, ".cache/redis", VERSIONS.redis, "strict");
    expect(await readFile(strict, "utf8")).toBe("true");
    expect(await setup(root, "start", { PATH: path })).toEqual({ code: 0, output: "" });
  });

  test("A way that fails leads to the next one.", async () => {
    const { path } = await programs({
      docker: 'case "$1" in info) exit 0;; pull) echo "no route" >&2; exit 1;; *) exit 1;; esac',
      ...(await tools()),
    });
    const { code, output } = await setup(await clone(), "start", { PATH: path, ...yes });
    expect(code).toBe(0);
    expect(output).toMatch(/no route[\s\S]*builds Redis/);
  });
});

describe("what is not done without a word", () => {
  test("Its absence ends the start with code 1 and a message that names three ways.", async () => {
    const { path } = await programs({});
    const { code, output } = await setup(await clone(), "start", { PATH: path });
    expect(code).toBe(1);
    expect(output).toMatch(
      /1\. a system package[\s\S]*2\. a container[\s\S]*3\. one you have +REDIS_URL/,
    );
    expect(output).not.toMatch(/\bat .*\.mjs:/);
  });

  test("Without a terminal no image is fetched, and the message names what would be.", async () => {
    const { path, calls } = await programs({ docker: 'test "$1" = info' });
    const { code, output } = await setup(await clone(), "start", { PATH: path });
    expect(code).toBe(1);
    expect(output).toContain(`SETUP_YES=1 allows set-up to run \`docker pull ${VERSIONS.image}\``);
    expect(await calls()).not.toContain(`docker pull ${VERSIONS.image}`);
  });

  test.runIf(process.platform === "linux").each(["y", "n", ""])(
    "A person on a terminal is asked once, and the answer '%s' is followed.",
    async (answer) => {
      const { path, calls } = await programs({
        make: "exit 1",
        cc: "exit 1",
        npm: "exit 1",
      });
      const words = `PATH=${path} PORT=0 "${process.execPath}" scripts/setup.mjs start`;
      // util-linux runs a command on a terminal of its own.
      const { stdout } = spawnSync("script", ["-qec", words, "/dev/null"], {
        cwd: await clone(),
        input: `${answer}\n`,
        env: { PATH: process.env.PATH },
        encoding: "utf8",
      });
      expect(stdout.match(/Run `npm install redis-memory-server/g)).toHaveLength(1);
      expect((await calls()).some((call) => call.startsWith("npm "))).toBe(answer === "y");
    },
  );
});
