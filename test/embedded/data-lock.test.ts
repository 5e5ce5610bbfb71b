import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { StartupError } from "../../src/domain/errors.js";
import { type DataLock, lockDataDir } from "../../src/embedded/data-lock.js";
import { drillSize } from "../support/drill.js";
import { temporaryFolder } from "../support/files.js";
import { ensureBuilt, runModule } from "../support/node-process.js";
import { until } from "../support/until.js";

async function dataFolder(): Promise<string> {
  const { path, remove } = await temporaryFolder("lock");
  onTestFinished(remove);
  return path;
}

/** Takes the lock in another process, which says so and lives on. */
function otherProcess(dir: string) {
  ensureBuilt();
  return runModule(`
    import { lockDataDir } from "./dist/embedded/data-lock.js";
    await lockDataDir(${JSON.stringify(dir)}).then(
      () => console.log("held"),
      (error) => console.log(error.message.split("\\n")[0]),
    );
    setInterval(() => {}, 1000);
  `);
}

test("The error of a second opener names the holder of the folder and what to do.", async () => {
  const dir = await dataFolder();
  const lock = await lockDataDir(dir);
  const second = lockDataDir(dir);
  await expect(second).rejects.toThrow(StartupError);
  await expect(second).rejects.toThrow(new RegExp(`process ${process.pid}[\\s\\S]*DATABASE_URL`));
  await lock.close();
});

test("A folder whose holder has closed it is free.", async () => {
  const dir = await dataFolder();
  await (await lockDataDir(dir)).close();
  await (await lockDataDir(dir)).close();
});

test("The lock of a killed process is taken over, that of a stopped one is not.", async () => {
  const dir = await dataFolder();
  const holder = otherProcess(dir);
  expect(await holder.nextLine()).toBe("held");
  holder.child.kill("SIGSTOP");
  await expect(lockDataDir(dir)).rejects.toThrow(`process ${holder.child.pid}`);
  await holder.end("SIGKILL");
  await (await lockDataDir(dir)).close();
});

test("A stale lock whose pid belongs to another process today is taken over.", async () => {
  const dir = await dataFolder();
  const stale = { pid: process.pid, host: "here", socket: join(dir, "nobody-listens") };
  await writeFile(join(dir, "lock-7.json"), JSON.stringify(stale));
  await (await lockDataDir(dir)).close();
});

test("A lock file cut short by a full disk is taken over.", async () => {
  const dir = await dataFolder();
  await writeFile(join(dir, "lock-1.json"), '{"pid":');
  await (await lockDataDir(dir)).close();
});

test("Of many simultaneous owners of a stale lock, exactly one holds it.", async () => {
  const dir = await dataFolder();
  const rounds = drillSize({ sample: 20, full: 2_000 });
  for (let round = 0; round < rounds; round++) {
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDir(dir)));
    const held = attempts.filter(
      (attempt): attempt is PromiseFulfilledResult<DataLock> => attempt.status === "fulfilled",
    );
    expect(held).toHaveLength(1);
    await held[0]?.value.close();
  }
  expect((await readdir(dir)).filter((name) => name.startsWith("lock-"))).toHaveLength(1);
});

test("An unusable folder is named, with the way out.", async () => {
  const dir = await dataFolder();
  await writeFile(join(dir, "file"), "");
  await expect(lockDataDir(join(dir, "file", "data"))).rejects.toThrow(
    /cannot be used[\s\S]*DATA_DIR/,
  );
});

/** A holder in this process that says it is stopping. */
async function stoppingHolder(dir: string): Promise<DataLock> {
  return lockDataDir(dir, { stopping: AbortSignal.abort() });
}

test("A holder that is stopping is waited for, and its pid is told once.", async () => {
  const dir = await dataFolder();
  const holder = await stoppingHolder(dir);
  const told: number[] = [];
  const next = lockDataDir(dir, { onWait: (pid) => told.push(pid) });
  await until("the wait", () => told.length > 0);
  await holder.close();
  await (await next).close();
  expect(told).toEqual([process.pid]);
});

test("Of several that wait for a stopping holder, one gets the folder.", async () => {
  const dir = await dataFolder();
  const holder = await stoppingHolder(dir);
  let waiting = 0;
  const onWait = () => {
    waiting += 1;
  };
  const next = [1, 2, 3].map(() => lockDataDir(dir, { onWait }));
  await until("all to wait", () => waiting === 3);
  await holder.close();
  const settled = await Promise.allSettled(next);
  const held = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(held).toHaveLength(1);
  await held[0]?.close();
});

test("A holder that never stops is refused after the patience of the next one.", async () => {
  const dir = await dataFolder();
  const holder = await stoppingHolder(dir);
  await expect(lockDataDir(dir, { patienceMs: 1 })).rejects.toThrow(`process ${process.pid}`);
  await holder.close();
});

test("A start that is told to stop while it waits does not go on waiting.", async () => {
  const dir = await dataFolder();
  const holder = await stoppingHolder(dir);
  const ours = new AbortController();
  const onWait = () => ours.abort();
  await expect(lockDataDir(dir, { stopping: ours.signal, onWait })).rejects.toThrow(StartupError);
  await holder.close();
});

test("A client that is frozen while it asks does not hold the lock of one that leaves.", async () => {
  const dir = await dataFolder();
  const lock = await lockDataDir(dir);
  const name = (await readdir(join(dir, "run"))).find((file) => file.startsWith("lock-"));
  const frozen = connect({ path: join(dir, "run", String(name)) }).on("error", () => {});
  // It never reads, so it never sees our end.
  frozen.pause();
  await once(frozen, "connect");
  await lock.close();
  frozen.destroy();
});
