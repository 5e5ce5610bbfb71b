import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { StartupError } from "../../src/domain/errors.js";
import { lockDataDir } from "../../src/embedded/data-lock.js";
import { startEmbeddedRedis } from "../../src/embedded/redis-server.js";
import { ensureServiceToken } from "../../src/embedded/secrets.js";
import { temporaryFolder } from "../support/files.js";
import { testLog } from "../support/log.js";

/** What stands in the way holds for root too, whom permissions do not stop. */
const OBSTACLES = [
  ["the folder itself", (dir: string) => writeFile(dir, ""), (dir: string) => lockDataDir(dir)],
  [
    "its folder of sockets",
    (dir: string) => mkdir(dir).then(() => writeFile(join(dir, "run"), "")),
    (dir: string) => lockDataDir(dir),
  ],
  [
    "the token",
    (dir: string) => mkdir(join(dir, "admin-token"), { recursive: true }),
    (dir: string) => ensureServiceToken(dir),
  ],
  [
    "Redis' folder",
    (dir: string) => mkdir(dir).then(() => writeFile(join(dir, "redis"), "")),
    (dir: string) => startEmbeddedRedis({ dataDir: dir, log: testLog() }),
  ],
] as const;

test.each(OBSTACLES)(
  "An unusable data folder is named, with what to do and no stack: %s",
  async (_name, obstruct, use) => {
    const { path, remove } = await temporaryFolder("folder");
    onTestFinished(remove);
    const dir = join(path, "data");
    await obstruct(dir);
    const failure = await use(dir).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(StartupError);
    expect((failure as Error).message).toMatch(`The data folder ${dir} cannot be used: `);
    expect((failure as Error).message).toContain("DATA_DIR");
  },
);
