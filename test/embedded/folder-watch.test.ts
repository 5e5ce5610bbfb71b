/** A folder in use that was deleted or replaced is noticed, and nothing else is. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { watchFolders } from "../../src/embedded/folder-watch.js";
import { temporaryFolder } from "../support/files.js";
import { until } from "../support/until.js";

let root: string;
let inner: string;
let found: string[][];

beforeEach(async () => {
  const { path, remove } = await temporaryFolder("watch");
  onTestFinished(remove);
  root = join(path, "data");
  inner = join(root, "postgres");
  found = [];
  await mkdir(inner, { recursive: true });
});

async function watch(paths = [root, inner]): Promise<void> {
  const watching = await watchFolders(paths, (gone) => found.push([...gone]));
  onTestFinished(() => watching.close());
}

const noticed = () => until("the loss to be noticed", () => found.length > 0);

test("A deleted folder is named together with those below it.", async () => {
  await watch();
  await rm(root, { recursive: true });
  await noticed();
  expect(found).toEqual([[root, inner]]);
});

test("A folder that was deleted by itself is named alone.", async () => {
  await watch();
  await rm(inner, { recursive: true });
  await noticed();
  expect(found).toEqual([[inner]]);
});

test("A folder that was made anew at once is another one.", async () => {
  await watch();
  await rm(inner, { recursive: true });
  await mkdir(inner);
  await noticed();
  expect(found).toEqual([[inner]]);
});

test("A file in its place is no folder.", async () => {
  await watch();
  await rm(root, { recursive: true });
  await writeFile(root, "");
  await noticed();
  expect(found).toEqual([[root, inner]]);
});

test("What happens in a folder is no loss, nor is its loss once the watch is closed.", async () => {
  const silent: string[][] = [];
  const closed = await watchFolders([root, inner], (gone) => silent.push([...gone]));
  await closed.close();
  await watch([root]);
  await writeFile(join(root, "new"), "");
  await rm(inner, { recursive: true });
  await mkdir(join(root, "another"));
  const other = await watchFolders([join(root, "another")], (gone) => found.push([...gone]));
  onTestFinished(() => other.close());
  await rename(join(root, "another"), join(root, "renamed"));
  await noticed();
  expect(found).toEqual([[join(root, "another")]]);
  expect(silent).toEqual([]);
});
