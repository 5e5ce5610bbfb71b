/** The bench's document lists what there is to choose from. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROWS } from "../../bench/read/rows.mjs";
import { ROOT } from "../support/node-process.js";

const BENCH = join(ROOT, "bench");
/** What peers share is not one. */
const SHARED = ["shop", "stored", "stored-key"];

const listed = readFileSync(join(BENCH, "README.md"), "utf8")
  .split("\n")
  .flatMap((line) => /^\| `([\w-]+)` \|/.exec(line)?.[1] ?? []);

test("The bench's document has a line for each peer, in a file of its name.", () => {
  const peers = readdirSync(join(BENCH, "peers"))
    .map((file) => file.replace(".mjs", ""))
    .filter((name) => !SHARED.includes(name));
  expect(listed.filter((name) => peers.includes(name)).sort()).toEqual(peers.sort());
});

test("The bench's document has a line for each row of the read bench.", () => {
  const rows = ROWS.map(({ name }) => name);
  expect(listed.filter((name) => rows.includes(name))).toEqual(rows);
});
